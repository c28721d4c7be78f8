export {
  type CalibrationFit,
  type CalibrationProblem,
  type CalibrationRow,
  calibrate,
  FEWEST_PER_CLASS,
} from './calibrate/calibration-fit.js';
export { calibrationTable } from './calibrate/calibration-table.js';
export type { WantedRate } from './calibrate/wanted-rate.js';
export { DistributionDrift } from './drift/distribution-drift.js';

export { type ComparedRow, type Drift, drift } from './drift/drift.js';
export {
  DEFAULT_RESAMPLES,
  DEFAULT_SEED,
} from './intervals/bootstrap.js';
export {
  type Stratum,
  sampledRates,
} from './intervals/sampled-rates.js';
export { agreement } from './measures/agreement.js';

export {
  type EvaluatedRow,
  type Evaluation,
  evaluate,
} from './measures/evaluate.js';
export { countText, intervalText, measureText, percentText, smallText } from './measures/format.js';
export {
  confusionTable,
  driftTable,
  groupTable,
  histogramTable,
  judgementTable,
  measureTable,
  notesOn,
  pairedTable,
  printable,
  type TextTable,
  thresholdTable,
} from './measures/tables.js';
