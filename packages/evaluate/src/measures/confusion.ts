import type { Tally } from './tally.js';

/** The confusion matrix of a threshold. A row is flagged when score >= threshold. */
export interface Confusion {
  /** Harmful and flagged. */
  truePositives: number;
  /** Safe and flagged. */
  falsePositives: number;
  /** Harmful and not flagged. */
  falseNegatives: number;
  /** Safe and not flagged. */
  trueNegatives: number;
}

export function confusionAt({ scores, harmful, safe, totals }: Tally, threshold: number): Confusion {
  let truePositives = 0;
  let falsePositives = 0;
  for (let cell = 0; cell < scores.length && (scores[cell] ?? 0) >= threshold; cell++) {
    truePositives += harmful[cell] ?? 0;
    falsePositives += safe[cell] ?? 0;
  }
  return confusionOf(totals, truePositives, falsePositives);
}

/** The confusion matrix from the flagged rows and the class totals. */
function confusionOf(
  totals: { harmful: number; safe: number },
  truePositives: number,
  falsePositives: number,
): Confusion {
  return {
    truePositives,
    falsePositives,
    falseNegatives: totals.harmful - truePositives,
    trueNegatives: totals.safe - falsePositives,
  };
}

/** Rates of a confusion matrix. A rate whose denominator is 0 is undefined. */
export interface Rates {
  /** Share of the flagged rows that are harmful. Undefined when no row is flagged. */
  precision: number | undefined;
  /** Share of the harmful rows that are flagged. Undefined without harmful rows. */
  recall: number | undefined;
  /** Share of the safe rows that are flagged. Undefined without safe rows. */
  falsePositiveRate: number | undefined;
  /** F1 of the harmful class: 2 TP / (2 TP + FP + FN). Undefined without harmful rows. */
  f1Harmful: number | undefined;
  /** F1 of the safe class: 2 TN / (2 TN + FP + FN). Undefined without safe rows. */
  f1Safe: number | undefined;
  /** The mean of both classes' F1, as in the SIREN papers. Undefined unless both classes have rows. */
  macroF1: number | undefined;
  /** Share of the rows that are classified correctly. Undefined without rows. */
  accuracy: number | undefined;
}

/** A class that has rows but is never predicted has F1 = 0, as with scikit-learn's `zero_division=0`. */
export function ratesOf(confusion: Confusion): Rates {
  const { truePositives: tp, falsePositives: fp, falseNegatives: fn, trueNegatives: tn } = confusion;
  const f1Harmful = tp + fn === 0 ? undefined : (2 * tp) / (2 * tp + fp + fn);
  const f1Safe = tn + fp === 0 ? undefined : (2 * tn) / (2 * tn + fp + fn);
  return {
    precision: ratio(tp, tp + fp),
    recall: ratio(tp, tp + fn),
    falsePositiveRate: ratio(fp, fp + tn),
    f1Harmful,
    f1Safe,
    macroF1: f1Harmful === undefined || f1Safe === undefined ? undefined : (f1Harmful + f1Safe) / 2,
    accuracy: ratio(tp + tn, tp + fp + fn + tn),
  };
}

function ratio(part: number, whole: number): number | undefined {
  return whole === 0 ? undefined : part / whole;
}

/** The results of one threshold. */
export interface ThresholdPoint extends Rates {
  threshold: number;
  confusion: Confusion;
}

/** False-positive rates to find thresholds for. */
const FIXED_RATES = [0.001, 0.01, 0.05, 0.1] as const;

/** Every distinct threshold: each distinct score, highest first. */
export function* sweep({ scores, harmful, safe, totals }: Tally): Generator<ThresholdPoint> {
  let truePositives = 0;
  let falsePositives = 0;
  for (const [cell, threshold] of scores.entries()) {
    truePositives += harmful[cell] ?? 0;
    falsePositives += safe[cell] ?? 0;
    const confusion = confusionOf(totals, truePositives, falsePositives);
    yield { threshold, confusion, ...ratesOf(confusion) };
  }
}

/**
 * The threshold, among the distinct scores, that maximizes a measure; among equals the highest one, which flags the fewest
 * rows. Undefined where the measure is.
 */
export function bestThreshold(tally: Tally, measure: 'macroF1' | 'f1Harmful'): ThresholdPoint | undefined {
  let best: ThresholdPoint | undefined;
  for (const point of sweep(tally)) {
    const value = point[measure];
    if (value !== undefined && value > (best?.[measure] ?? Number.NEGATIVE_INFINITY)) best = point;
  }
  return best;
}

/** The threshold for a maximum false-positive rate. */
export interface FixedRate {
  /** The requested rate. */
  limit: number;
  /**
   * The lowest distinct score that keeps within it. Undefined when none does (too many safe rows have the highest score of
   * all), or without safe rows.
   */
  at: ThresholdPoint | undefined;
}

export function thresholdsAtRates(tally: Tally, limits: readonly number[] = FIXED_RATES): FixedRate[] {
  const found = limits.map((limit): FixedRate => ({ limit, at: undefined }));
  for (const point of sweep(tally)) {
    const { falsePositiveRate } = point;
    if (falsePositiveRate === undefined) break;
    for (const fixed of found) if (falsePositiveRate <= fixed.limit) fixed.at = point;
  }
  return found;
}
