import type { Tally } from './tally.js';

/** Shown for an undefined number. */
const NO_NUMBER = '–';

/** A measure from 0 to 1: four digits. */
export function measureText(value: number | undefined): string {
  return value === undefined ? NO_NUMBER : value.toFixed(4);
}

/** A threshold or a difference, which may be very small: four significant digits. */
export function smallText(value: number | undefined): string {
  if (value === undefined) return NO_NUMBER;
  if (value === 0) return '0';
  return Math.abs(value) < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(4)));
}

/** A share as a percentage: 0.001 is "0.1 %". */
export function percentText(share: number | undefined): string {
  return share === undefined ? NO_NUMBER : `${Number((share * 100).toPrecision(3))} %`;
}

export function intervalText(interval: { low: number; high: number } | undefined): string {
  return interval === undefined ? NO_NUMBER : `${measureText(interval.low)} to ${measureText(interval.high)}`;
}

/** 1,234,567 */
export function countText(value: number): string {
  return value.toLocaleString('en-US');
}

/** More decimals than any score has. */
const MOST_DECIMALS = 20;

/**
 * The shortest decimal that flags the same rows as `threshold`, one of the distinct scores: greater than the next lower
 * score and at most this one. Rounding to nearest could exclude the rows that the threshold was chosen for.
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
