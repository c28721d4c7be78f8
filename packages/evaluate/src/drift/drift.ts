import { confusionAt } from '../measures/confusion.js';
import { pearson, spearman } from '../measures/correlation.js';
import { scoreList } from '../measures/labelled.js';
import { quantile } from '../measures/quantile.js';
import { type Rates, ratesOf } from '../measures/rates.js';
import { auc } from '../measures/roc.js';
import { tallyOf } from '../measures/tally.js';
import { type DifferenceBin, differenceHistogram } from './difference-histogram.js';
import { type Paired, pairedJudgements } from './paired.js';

/** A row that two guards have scored. */
export interface ComparedRow {
  key: string;
  a: number;
  b: number;
  /** 1 harmful, 0 safe; undefined when nobody said. */
  label?: 0 | 1;
}

/** Shares of the rows whose |difference| is given. */
const DRIFT_PERCENTILES = [0.5, 0.9, 0.99, 0.999] as const;
/** How many of the rows that differ most are named. */
const LARGEST_DRIFTS = 20;

/** How far two lists of scores of the same rows are apart. A difference is b - a. */
export interface Drift {
  rows: number;
  thresholds: { a: number; b: number };
  maxDifference: number;
  meanDifference: number;
  /** The mean of b - a with its sign: above 0 when b scores higher on the whole. */
  meanShift: number;
  percentiles: { share: number; difference: number }[];
  /** Rows with exactly the same score. */
  equal: number;
  flagged: { a: number; b: number };
  /** Rows that only one of the two flags. */
  flips: { toHarmful: number; toSafe: number };
  histogram: DifferenceBin[];
  pearson: number | undefined;
  spearman: number | undefined;
  /** The rows that differ most, by key. */
  largest: { key: string; a: number; b: number }[];
  /** Undefined unless there are labels. */
  labelled: LabelledDrift | undefined;
}

/** What the labels say of both, on the rows that have one. */
export interface LabelledDrift {
  rows: number;
  harmful: number;
  a: Rates & { auc: number | undefined };
  b: Rates & { auc: number | undefined };
  paired: Paired;
}

/** Measures the drift from `a` to `b`; each guard flags at a threshold of its own. Rows must not be empty. */
export function drift(rows: readonly ComparedRow[], thresholds: { a: number; b: number }): Drift {
  if (rows.length === 0) throw new RangeError('there is no drift of no rows');
  const a = scoreList(rows.map((row) => row.a));
  const b = scoreList(rows.map((row) => row.b));
  const shifts = a.map((score, i) => (b[i] ?? 0) - score);
  const differences = shifts.map(Math.abs);
  const sorted = differences.toSorted();
  const flagged = (scores: Float64Array, threshold: number): number =>
    scores.filter((score) => score >= threshold).length;
  const flips = { toHarmful: 0, toSafe: 0 };
  for (const row of rows) {
    const [before, after] = [row.a >= thresholds.a, row.b >= thresholds.b];
    if (after && !before) flips.toHarmful += 1;
    if (before && !after) flips.toSafe += 1;
  }
  return {
    rows: rows.length,
    thresholds,
    maxDifference: sorted.at(-1) ?? 0,
    meanDifference: mean(differences),
    meanShift: mean(shifts),
    percentiles: DRIFT_PERCENTILES.map((share) => ({ share, difference: quantile(sorted, share) })),
    equal: differences.filter((difference) => difference === 0).length,
    flagged: { a: flagged(a, thresholds.a), b: flagged(b, thresholds.b) },
    flips,
    histogram: differenceHistogram(differences),
    pearson: pearson(a, b),
    spearman: spearman(a, b),
    largest: largestDrifts(rows),
    labelled: labelledDrift(rows, thresholds),
  };
}

function largestDrifts(rows: readonly ComparedRow[]): { key: string; a: number; b: number }[] {
  return rows
    .filter(({ a, b }) => a !== b)
    .sort((one, other) => Math.abs(other.b - other.a) - Math.abs(one.b - one.a))
    .slice(0, LARGEST_DRIFTS)
    .map(({ key, a, b }) => ({ key, a, b }));
}

function labelledDrift(
  rows: readonly ComparedRow[],
  thresholds: { a: number; b: number },
): LabelledDrift | undefined {
  const known = rows.filter(({ label }) => label !== undefined);
  if (known.length === 0) return undefined;
  const labels = Uint8Array.from(known, ({ label }) => label ?? 0);
  const side = (which: 'a' | 'b'): Rates & { auc: number | undefined } => {
    const tally = tallyOf({ scores: Float64Array.from(known, (row) => row[which]), labels });
    return { ...ratesOf(confusionAt(tally, thresholds[which])), auc: auc(tally) };
  };
  const flags = (which: 'a' | 'b'): boolean[] => known.map((row) => row[which] >= thresholds[which]);
  return {
    rows: known.length,
    harmful: labels.filter((label) => label === 1).length,
    a: side('a'),
    b: side('b'),
    paired: pairedJudgements(flags('a'), flags('b'), labels),
  };
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
