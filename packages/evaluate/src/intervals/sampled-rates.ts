import { CONFIDENCE, DEFAULT_RESAMPLES, DEFAULT_SEED } from './bootstrap.js';
import { drawBeta, quantile, randomBelow } from './sampling.js';

/** Rows of nearly one score, of which some are judged. */
export interface Stratum {
  /** All of its rows, judged or not. */
  rows: number;
  /** What was judged: each counts for one draw, whatever its rows. */
  judged: readonly JudgedRows[];
}

/** Something that was judged, and the rows that it stands in. */
interface JudgedRows {
  rows: number;
  /** 1 harmful, 0 not; what people are of two minds about is in between. */
  harmful: number;
}

/** A share, and the interval that it lies in with 95 % certainty. */
interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** Precision and recall of a threshold; undefined where what was judged does not tell. */
export interface SampledRates {
  precision: Estimate | undefined;
  recall: Estimate | undefined;
}

/** Of the rows on one side of a threshold, so large a share may be in strata of which nothing was judged. */
const UNKNOWN_SHARE = 0.05;
/** Jeffreys: half a row for harmful and half a row against it. */
const PRIOR = 0.5;

/**
 * Precision and recall of thresholds for all rows, from judgements of a sample whose rows were chosen by their score: the
 * uncertain ones, the highest ones, or at random. Within a stratum what was judged stands for the rows that were not
 * (post-stratification); those that were judged are known. Intervals are of the posterior under Jeffreys' prior in each
 * stratum. A threshold has no precision when more than 5 % of the rows above it are in strata of which nothing was judged,
 * and no recall when that is so below it, too.
 *
 * @param strata in ascending order of their scores
 * @param cuts for each threshold, how many strata lie below it
 */
export function sampledRates(
  strata: readonly Stratum[],
  cuts: readonly number[],
  { draws = DEFAULT_RESAMPLES, seed = DEFAULT_SEED }: { draws?: number; seed?: number } = {},
): SampledRates[] {
  const sides = cuts.map((cut) => ({
    above: known(strata.slice(cut)),
    below: known(strata.slice(0, cut)),
    flagged: strata.slice(cut).reduce((sum, { rows }) => sum + rows, 0),
    cut,
  }));
  const below = randomBelow(seed);
  const uniform = (): number => below(2 ** 32) / 2 ** 32;
  const likely = harmfulRows(strata.map(shareOf), strata);
  const drawn = Array.from({ length: draws }, () =>
    harmfulRows(
      strata.map((stratum) => drawShare(stratum, uniform)),
      strata,
    ),
  );
  return sides.map(({ above, below: rest, flagged, cut }) => ({
    precision: above && flagged > 0 ? estimate(likely, drawn, (rows) => sum(rows, cut) / flagged) : undefined,
    recall: above && rest ? estimate(likely, drawn, (rows) => recallOf(rows, cut)) : undefined,
  }));
}

/** Whether enough was judged to tell something of these strata. */
function known(strata: readonly Stratum[]): boolean {
  const all = strata.reduce((rows, stratum) => rows + stratum.rows, 0);
  const unknown = strata.reduce(
    (rows, stratum) => rows + (stratum.judged.length === 0 ? stratum.rows : 0),
    0,
  );
  return all === 0 || unknown <= UNKNOWN_SHARE * all;
}

/** Harmful rows of each stratum: those that are known, and of the others the share that is given. */
function harmfulRows(shares: readonly number[], strata: readonly Stratum[]): number[] {
  return strata.map(({ rows, judged }, i) => {
    const found = judged.reduce((harmful, one) => harmful + one.rows * one.harmful, 0);
    const left = Math.max(0, rows - judged.reduce((seen, one) => seen + one.rows, 0));
    return found + left * (shares[i] ?? 0);
  });
}

/** The share of the judged; of a stratum without any, half: it is too small to matter, or nothing is said. */
function shareOf({ judged }: Stratum): number {
  return judged.length === 0 ? PRIOR : harmfulOf(judged) / judged.length;
}

function drawShare({ judged }: Stratum, uniform: () => number): number {
  const harmful = harmfulOf(judged);
  return drawBeta(harmful + PRIOR, judged.length - harmful + PRIOR, uniform);
}

const harmfulOf = (judged: readonly JudgedRows[]): number =>
  judged.reduce((harmful, one) => harmful + one.harmful, 0);

const sum = (rows: readonly number[], from = 0): number =>
  rows.slice(from).reduce((total, part) => total + part, 0);

/** Undefined when nothing is harmful. */
function recallOf(rows: readonly number[], cut: number): number | undefined {
  const all = sum(rows);
  return all === 0 ? undefined : sum(rows, cut) / all;
}

function estimate(
  likely: number[],
  drawn: readonly number[][],
  measure: (rows: readonly number[]) => number | undefined,
): Estimate | undefined {
  const value = measure(likely);
  if (value === undefined) return undefined;
  const values = drawn.map(measure).filter((one) => one !== undefined);
  const sorted = Float64Array.from(values).sort();
  const tail = (1 - CONFIDENCE) / 2;
  return {
    value,
    // The prior draws towards the middle: a share of 0 or 1 lies at the end of its interval.
    low: Math.min(value, quantile(sorted, tail)),
    high: Math.max(value, quantile(sorted, 1 - tail)),
  };
}
