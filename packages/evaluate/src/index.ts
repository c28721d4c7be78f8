export type { DifferenceBin } from './drift/difference-histogram.js';
export {
  DistributionDrift,
  populationStabilityIndex,
  SCORE_BINS,
  type ScoreCount,
  scoreBin,
} from './drift/distribution-drift.js';
export { type ComparedRow, type Drift, drift, type LabelledDrift } from './drift/drift.js';
export type { Paired } from './drift/paired.js';
export {
  CONFIDENCE,
  DEFAULT_RESAMPLES,
  DEFAULT_SEED,
  INTERVAL_MEASURES,
  type Interval,
  type IntervalMeasure,
  type Intervals,
} from './intervals/bootstrap.js';
export {
  type Estimate,
  type JudgedRows,
  type SampledRates,
  type Stratum,
  sampledRates,
} from './intervals/sampled-rates.js';
export { type Agreement, agreement } from './measures/agreement.js';
export type { CalibrationBin } from './measures/calibration.js';
export type { Confusion } from './measures/confusion.js';
export {
  type EvaluatedRow,
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  type Measures,
} from './measures/evaluate.js';
export { countText, intervalText, measureText, percentText, smallText } from './measures/format.js';
export { FEW_ROWS, type GroupMeasures } from './measures/groups.js';
export type { Mistake, Mistakes } from './measures/mistakes.js';
export { notesOn } from './measures/notes.js';
export type { Rates } from './measures/rates.js';
export type { FixedRate, ThresholdPoint } from './measures/sweep.js';
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
} from './measures/tables.js';
