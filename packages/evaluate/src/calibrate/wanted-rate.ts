import { sweep, type ThresholdPoint } from '../measures/confusion.js';
import type { Tally } from '../measures/tally.js';

/** A precision or recall that a threshold must reach. */
export interface WantedRate {
  measure: 'precision' | 'recall';
  value: number;
}

/** A threshold with its rates on the rows that it was chosen on, with 95 % intervals. */
export interface ReachedRate {
  threshold: number;
  flagged: number;
  precision: Share;
  recall: Share;
}

interface Share {
  value: number;
  low: number;
  high: number;
}

/** The normal quantile of 95 %, two-sided: `CONFIDENCE`. */
const Z = 1.959963984540054;

/** Wilson's score interval of a share (Wilson 1927), at the confidence of all intervals here: 95 %. */
export function wilson(count: number, of: number): Share {
  if (of === 0) return { value: 0, low: 0, high: 1 };
  const value = count / of;
  const middle = (value + (Z * Z) / (2 * of)) / (1 + (Z * Z) / of);
  const half = (Z / (1 + (Z * Z) / of)) * Math.sqrt((value * (1 - value)) / of + (Z * Z) / (4 * of * of));
  return { value, low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/**
 * The threshold that reaches a precision and flags the most rows, or that reaches a recall and flags the fewest.
 * It lies halfway to the next lower score, so that rounding does not move a row across it.
 * @returns the highest rate when no threshold reaches the wanted one
 */
export function thresholdFor(tally: Tally, wanted: WantedRate): ReachedRate | { highest: number } {
  let found: ThresholdPoint | undefined;
  let highest = 0;
  for (const point of sweep(tally)) {
    const rate = point[wanted.measure] ?? 0;
    highest = Math.max(highest, rate);
    if (rate < wanted.value) continue;
    found = point;
    // The highest threshold with this recall; but the lowest with this precision.
    if (wanted.measure === 'recall') break;
  }
  return found === undefined ? { highest } : reached(tally, found);
}

function reached({ scores, totals }: Tally, { threshold, confusion }: ThresholdPoint): ReachedRate {
  const { truePositives, falsePositives } = confusion;
  const flagged = truePositives + falsePositives;
  const below = scores.find((score) => score < threshold) ?? 0;
  return {
    threshold: (threshold + below) / 2,
    flagged,
    precision: wilson(truePositives, flagged),
    recall: wilson(truePositives, totals.harmful),
  };
}
