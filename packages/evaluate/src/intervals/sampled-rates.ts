import { CONFIDENCE, DEFAULT_RESAMPLES, DEFAULT_SEED } from './bootstrap.js';
import { drawBeta, quantile, randomBelow } from './sampling.js';

/** A stratum: rows with similar scores, some of them judged. */
export interface Stratum {
  /** All rows, judged or not. */
  rows: number;
  /** Judged items; each counts as one draw, however many rows share it. */
  judged: readonly JudgedRows[];
}

/** A judged item and the number of rows that contain it. */
interface JudgedRows {
  rows: number;
  /** 1 harmful, 0 safe; in between when reviewers disagree. */
  harmful: number;
}

/** A share with its 95 % interval. */
interface Estimate {
  value: number;
  low: number;
  high: number;
}

/** Precision and recall of a threshold; undefined where too little was judged. */
export interface SampledRates {
  precision: Estimate | undefined;
  recall: Estimate | undefined;
}

/** Largest share of the rows on one side of a threshold that may be in strata without judgements. */
const UNKNOWN_SHARE = 0.05;
/** Jeffreys' prior: half a harmful row and half a safe one. */
const PRIOR = 0.5;

/**
 * Estimates precision and recall over all rows from judgements of a sample that was chosen by score: the most uncertain
 * rows, the highest ones, or at random. Within a stratum, judged rows stand for the others (post-stratification).
 * Intervals come from the posterior under Jeffreys' prior in each stratum. Precision is undefined when more than 5 % of
 * the rows above the threshold are in strata without judgements; recall is undefined when that holds below it, too.
 *
 * @param strata in ascending order of their scores
 * @param cuts for each threshold, the number of strata below it
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

/** Whether enough rows of these strata were judged. */
function known(strata: readonly Stratum[]): boolean {
  const all = strata.reduce((rows, stratum) => rows + stratum.rows, 0);
  const unknown = strata.reduce(
    (rows, stratum) => rows + (stratum.judged.length === 0 ? stratum.rows : 0),
    0,
  );
  return all === 0 || unknown <= UNKNOWN_SHARE * all;
}

/** Harmful rows of each stratum: the judged ones, plus the given share of the others. */
function harmfulRows(shares: readonly number[], strata: readonly Stratum[]): number[] {
  return strata.map(({ rows, judged }, i) => {
    const found = judged.reduce((harmful, one) => harmful + one.rows * one.harmful, 0);
    const left = Math.max(0, rows - judged.reduce((seen, one) => seen + one.rows, 0));
    return found + left * (shares[i] ?? 0);
  });
}

/** The harmful share of the judged rows; 0.5 in a stratum without any, which is too small to matter or makes the rate undefined. */
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
    // The prior pulls towards the middle: extend the interval so that it contains a share of 0 or 1.
    low: Math.min(value, quantile(sorted, tail)),
    high: Math.max(value, quantile(sorted, 1 - tail)),
  };
}
