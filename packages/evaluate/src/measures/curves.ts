import type { Tally } from './tally.js';

/** A point of the ROC curve: the rates when every score >= `threshold` is flagged. */
export interface RocPoint {
  threshold: number;
  falsePositiveRate: number;
  truePositiveRate: number;
}

/**
 * The ROC curve: from (0, 0), where nothing is flagged (threshold Infinity), one point for each distinct score down to
 * (1, 1). Undefined unless there are rows of both classes.
 */
export function rocCurve({ scores, harmful, safe, totals }: Tally): RocPoint[] | undefined {
  if (totals.harmful === 0 || totals.safe === 0) return undefined;
  const points: RocPoint[] = [
    { threshold: Number.POSITIVE_INFINITY, falsePositiveRate: 0, truePositiveRate: 0 },
  ];
  let truePositives = 0;
  let falsePositives = 0;
  for (const [cell, threshold] of scores.entries()) {
    truePositives += harmful[cell] ?? 0;
    falsePositives += safe[cell] ?? 0;
    points.push({
      threshold,
      falsePositiveRate: falsePositives / totals.safe,
      truePositiveRate: truePositives / totals.harmful,
    });
  }
  return points;
}

/**
 * Area under the ROC curve: the probability that a harmful row scores higher than a safe one, a tie counting one half.
 * Undefined unless there are rows of both classes. Equals scikit-learn's `roc_auc_score`.
 */
export function auc({ scores, harmful, safe, totals }: Tally): number | undefined {
  if (totals.harmful === 0 || totals.safe === 0) return undefined;
  let harmfulAbove = 0;
  // Counted in integers, not halves: exact up to 2^53.
  let twiceWon = 0;
  for (let cell = 0; cell < scores.length; cell++) {
    const here = harmful[cell] ?? 0;
    twiceWon += (safe[cell] ?? 0) * (2 * harmfulAbove + here);
    harmfulAbove += here;
  }
  return twiceWon / (2 * totals.harmful * totals.safe);
}

/** A point of the precision-recall curve: the rates when every score >= `threshold` is flagged. */
export interface PrecisionRecallPoint {
  threshold: number;
  precision: number;
  recall: number;
}

/** One point per distinct score, highest first. Undefined without harmful rows. */
export function precisionRecallCurve({
  scores,
  harmful,
  safe,
  totals,
}: Tally): PrecisionRecallPoint[] | undefined {
  if (totals.harmful === 0) return undefined;
  let truePositives = 0;
  let flagged = 0;
  return Array.from(scores, (threshold, cell) => {
    truePositives += harmful[cell] ?? 0;
    flagged += (harmful[cell] ?? 0) + (safe[cell] ?? 0);
    return { threshold, precision: truePositives / flagged, recall: truePositives / totals.harmful };
  });
}

/**
 * Average precision: the precision at each distinct score, weighted by the recall gained there (a step function, no
 * interpolation). Undefined without harmful rows. Equals scikit-learn's `average_precision_score`.
 */
export function averagePrecision({ scores, harmful, safe, totals }: Tally): number | undefined {
  if (totals.harmful === 0) return undefined;
  let truePositives = 0;
  let flagged = 0;
  let sum = 0;
  for (let cell = 0; cell < scores.length; cell++) {
    const here = harmful[cell] ?? 0;
    truePositives += here;
    flagged += here + (safe[cell] ?? 0);
    if (here > 0) sum += (here * truePositives) / flagged;
  }
  return sum / totals.harmful;
}
