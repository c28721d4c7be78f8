import { confusionAt, ratesOf } from '../measures/confusion.js';
import { auc, averagePrecision } from '../measures/curves.js';
import { cellsOf, type Labelled, type Tally } from '../measures/tally.js';
import { quantile, randomBelow } from './sampling.js';

export const DEFAULT_RESAMPLES = 1000;
export const DEFAULT_SEED = 1;
/** Share of the resamples that lie inside an interval. */
export const CONFIDENCE = 0.95;

/** Measures with an interval. */
export const INTERVAL_MEASURES = ['macroF1', 'precision', 'recall', 'auc', 'averagePrecision'] as const;
export type IntervalMeasure = (typeof INTERVAL_MEASURES)[number];

interface Interval {
  low: number;
  high: number;
  /** Resamples in which the measure was undefined (one class only, nothing flagged); the interval is of the others. */
  undefinedIn: number;
}

/** Undefined for a measure that was undefined in every resample. */
export type Intervals = Record<IntervalMeasure, Interval | undefined>;

export interface BootstrapOptions {
  threshold: number;
  resamples?: number;
  seed?: number;
}

/**
 * Percentile bootstrap intervals (Efron): each resample draws as many rows as there are, with replacement, and computes
 * every measure again. Not stratified: the number of harmful rows varies as it would in another corpus of the same
 * origin, and precision depends on it. The same seed gives the same intervals.
 *
 * A resample needs no sort, only new counts over the same distinct scores: O(rows + distinct scores).
 *
 * @param tally of the same rows
 */
export function bootstrap(rows: Labelled, tally: Tally, options: BootstrapOptions): Intervals {
  const { threshold, resamples = DEFAULT_RESAMPLES, seed = DEFAULT_SEED } = options;
  const cells = cellsOf(rows.scores, tally.scores);
  const random = randomBelow(seed);
  const values: Record<IntervalMeasure, number[]> = {
    macroF1: [],
    precision: [],
    recall: [],
    auc: [],
    averagePrecision: [],
  };
  for (let i = 0; i < resamples; i++) {
    const drawn = resample(cells, rows.labels, tally.scores, random);
    const { macroF1, precision, recall } = ratesOf(confusionAt(drawn, threshold));
    const measured = {
      macroF1,
      precision,
      recall,
      auc: auc(drawn),
      averagePrecision: averagePrecision(drawn),
    };
    for (const measure of INTERVAL_MEASURES) {
      const value = measured[measure];
      if (value !== undefined) values[measure].push(value);
    }
  }
  const intervals = INTERVAL_MEASURES.map((measure) => [measure, intervalOf(values[measure], resamples)]);
  return Object.fromEntries(intervals) as Intervals;
}

function resample(
  cells: Uint32Array,
  labels: Uint8Array,
  scores: Float64Array,
  random: (limit: number) => number,
): Tally {
  const harmful = new Uint32Array(scores.length);
  const safe = new Uint32Array(scores.length);
  const rows = cells.length;
  let harmfulRows = 0;
  for (let i = 0; i < rows; i++) {
    const row = random(rows);
    const cell = cells[row] ?? 0;
    if (labels[row] === 1) {
      harmful[cell] = (harmful[cell] ?? 0) + 1;
      harmfulRows += 1;
    } else {
      safe[cell] = (safe[cell] ?? 0) + 1;
    }
  }
  return { scores, harmful, safe, totals: { harmful: harmfulRows, safe: rows - harmfulRows } };
}

function intervalOf(values: readonly number[], resamples: number): Interval | undefined {
  if (values.length === 0) return undefined;
  const sorted = Float64Array.from(values).sort();
  const tail = (1 - CONFIDENCE) / 2;
  return {
    low: quantile(sorted, tail),
    high: quantile(sorted, 1 - tail),
    undefinedIn: resamples - values.length,
  };
}
