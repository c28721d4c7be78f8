export { type Agreement, agreement } from './agreement.js';
export {
  CONFIDENCE,
  DEFAULT_RESAMPLES,
  DEFAULT_SEED,
  INTERVAL_MEASURES,
  type Interval,
  type IntervalMeasure,
  type Intervals,
} from './bootstrap.js';
export type { CalibrationBin } from './calibration.js';
export type { Confusion } from './confusion.js';
export type { DifferenceBin } from './difference-histogram.js';
export {
  DistributionDrift,
  populationStabilityIndex,
  SCORE_BINS,
  type ScoreCount,
  scoreBin,
} from './distribution-drift.js';
export { type ComparedRow, type Drift, drift, type LabelledDrift } from './drift.js';
export {
  type EvaluatedRow,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Measures,
} from './evaluate.js';
export { countText, intervalText, measureText, percentText, smallText } from './format.js';
export { FEW_ROWS, type GroupMeasures } from './groups.js';
export type { Mistake, Mistakes } from './mistakes.js';
export { notesOn } from './notes.js';
export type { Paired } from './paired.js';
export type { Rates } from './rates.js';
export {
  type Estimate,
  type JudgedRows,
  type SampledRates,
  type Stratum,
  sampledRates,
} from './sampled-rates.js';
export type { FixedRate, ThresholdPoint } from './sweep.js';
export {
  confusionTable,
  driftTable,
  groupTable,
  histogramTable,
  judgementTable,
  measureTable,
  pairedTable,
  printable,
  type TextTable,
  thresholdTable,
} from './tables.js';
