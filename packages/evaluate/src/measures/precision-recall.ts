import type { Tally } from './tally.js';

/** A point of the precision-recall curve: what flagging every score >= `threshold` gives. */
export interface PrecisionRecallPoint {
  threshold: number;
  precision: number;
  recall: number;
}

/** One point for each distinct score, the highest first. Undefined without harmful rows. */
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
 * Average precision: the precision at each distinct score, weighted by how much recall grows there (a step function, no
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
