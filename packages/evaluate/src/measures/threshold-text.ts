import { NO_NUMBER } from './format.js';
import type { Tally } from './tally.js';

/** More decimals than any score has. */
const MOST_DECIMALS = 20;

/**
 * A threshold that is one of the distinct scores, as the shortest decimal that flags the same rows: above the next lower
 * score, at most this one. Rounding it to the nearest could leave out the very rows that it was chosen for.
 */
export function thresholdText({ scores }: Tally, threshold: number | undefined): string {
  if (threshold === undefined) return NO_NUMBER;
  const below = scores.find((score) => score < threshold) ?? Number.NEGATIVE_INFINITY;
  for (let decimals = 2; decimals <= MOST_DECIMALS; decimals++) {
    const scale = 10 ** decimals;
    const rounded = Math.floor(threshold * scale) / scale;
    if (rounded > below && rounded <= threshold) return String(rounded);
  }
  return String(threshold);
}
