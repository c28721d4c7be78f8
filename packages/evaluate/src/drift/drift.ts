import { quantile } from '../intervals/sampling.js';
import { pearson, spearman } from '../measures/agreement.js';
import { confusionAt, type Rates, ratesOf } from '../measures/confusion.js';
import { auc } from '../measures/curves.js';
import { scoreList, tallyOf } from '../measures/tally.js';

/** A row scored by two guards. */
export interface ComparedRow {
  key: string;
  a: number;
  b: number;
  /** 1 harmful, 0 safe; undefined without a label. */
  label?: 0 | 1;
}

/** Reported quantiles of |difference|. */
const DRIFT_PERCENTILES = [0.5, 0.9, 0.99, 0.999] as const;
/** Number of listed rows with the largest differences. */
const LARGEST_DRIFTS = 20;

/** Differences between two lists of scores of the same rows. A difference is b - a. */
export interface Drift {
  rows: number;
  thresholds: { a: number; b: number };
  maxDifference: number;
  meanDifference: number;
  /** The signed mean of b - a: above 0 when b scores higher overall. */
  meanShift: number;
  percentiles: { share: number; difference: number }[];
  /** Rows with exactly the same score. */
  equal: number;
  flagged: { a: number; b: number };
  /** Rows flagged by only one of the two. */
  flips: { toHarmful: number; toSafe: number };
  histogram: DifferenceBin[];
  pearson: number | undefined;
  spearman: number | undefined;
  /** The rows with the largest differences, by key. */
  largest: { key: string; a: number; b: number }[];
  /** Undefined without labels. */
  labelled: LabelledDrift | undefined;
}

/** Both guards against the labels, on the labelled rows. */
interface LabelledDrift {
  rows: number;
  harmful: number;
  a: Rates & { auc: number | undefined };
  b: Rates & { auc: number | undefined };
  paired: Paired;
}

/** Measures the drift from `a` to `b`, each with its own threshold. Rows must not be empty. */
export function drift(rows: readonly ComparedRow[], thresholds: { a: number; b: number }): Drift {
  if (rows.length === 0) throw new RangeError('drift needs at least one row');
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

/** How many labelled rows each of two guards classifies correctly at its threshold. */
interface Paired {
  bothRight: number;
  onlyARight: number;
  onlyBRight: number;
  bothWrong: number;
  /**
   * p-value of McNemar's exact test: among the rows where exactly one guard is right, the probability of a split at least
   * as uneven as this one if neither guard is better. 1 when there are no such rows.
   */
  pValue: number;
}

function pairedJudgements(
  flaggedA: readonly boolean[],
  flaggedB: readonly boolean[],
  labels: Uint8Array,
): Paired {
  const counts = { bothRight: 0, onlyARight: 0, onlyBRight: 0, bothWrong: 0 };
  for (const [i, label] of labels.entries()) {
    const rightA = flaggedA[i] === (label === 1);
    const rightB = flaggedB[i] === (label === 1);
    if (rightA && rightB) counts.bothRight += 1;
    else if (rightA) counts.onlyARight += 1;
    else if (rightB) counts.onlyBRight += 1;
    else counts.bothWrong += 1;
  }
  return { ...counts, pValue: mcnemarExact(counts.onlyARight, counts.onlyBRight) };
}

/** Two-sided exact binomial test of `a` against `b` at one half. */
export function mcnemarExact(a: number, b: number): number {
  const trials = a + b;
  // Sums of logarithms: 2^-trials underflows to 0 from 1,075 trials on.
  let logTerm = -trials * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= Math.min(a, b); k++) {
    logTerm += Math.log((trials - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}

/** Differences in [from, to); the last bin includes 1. */
export interface DifferenceBin {
  from: number;
  to: number;
  rows: number;
}

/**
 * Half decades: differences between precisions span 1e-7 (float32 noise) to 1. Literals instead of a formula, so that
 * a difference of exactly 0.001 falls into the bin that starts there.
 */
const EDGES = [1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1] as const;

/** A histogram of |difference|. The first bin, [0, 1e-7), includes equal scores. */
export function differenceHistogram(differences: Float64Array): DifferenceBin[] {
  const bins = EDGES.map((to, i): DifferenceBin => ({ from: EDGES[i - 1] ?? 0, to, rows: 0 }));
  const last = bins.at(-1);
  for (const difference of differences) {
    const bin = bins.find(({ to }) => difference < to) ?? last;
    if (bin !== undefined) bin.rows += 1;
  }
  return bins;
}

/** The bins from the first to the last non-empty one. */
export function filledBins(bins: readonly DifferenceBin[]): DifferenceBin[] {
  const filled = bins.map(({ rows }) => rows > 0);
  return bins.slice(Math.max(filled.indexOf(true), 0), filled.lastIndexOf(true) + 1);
}
