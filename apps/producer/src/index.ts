export { cutParcels, PARCEL_LIMITS } from './cut-parcels.js';
export { type Exported, exportScores, itemValue, type ScoredRun } from './export-scores.js';
export {
  Admission,
  type AdmissionLimits,
  BusyError,
  DEFAULT_ADMISSION,
  type Ticket,
} from './express/admission.js';
export {
  type ExpressOutcome,
  type ExpressScoreOptions,
  ExpressScorer,
  type ExpressScorerOptions,
  ExpressTimeoutError,
} from './express/express-scorer.js';
export { Turns } from './express/turns.js';
export { retryQueued } from './retry-run.js';
export { type SubmitOptions, submitCorpus } from './submit-corpus.js';
