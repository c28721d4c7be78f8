import { type Confusion, confusionOf, type Rates, ratesOf } from './confusion.js';
import type { Tally } from './tally.js';

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
