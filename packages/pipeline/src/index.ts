export {
  Admission,
  type AdmissionLimits,
  BusyError,
  DEFAULT_ADMISSION,
  type Ticket,
} from './interactive/admission.js';
export {
  type ExpressOutcome,
  type ExpressScoreOptions,
  ExpressScorer,
  type ExpressScorerOptions,
  ExpressTimeoutError,
} from './interactive/express-scorer.js';
export { Turns } from './interactive/turns.js';
export { type Exported, exportScores, itemValue, type ScoredRun } from './runs/export-scores.js';
export { type ReconcileOptions, reconcile } from './runs/reconcile.js';
export { guardText, registerOpenGuard } from './runs/register-guard.js';
export { retryQueued } from './runs/retry-run.js';
export { settleRuns } from './runs/settle-runs.js';
export { cutParcels, PARCEL_LIMITS } from './submit/cut-parcels.js';
export {
  readQuery,
  readScheduledRequest,
  type ScheduledContext,
  type ScheduledRequest,
  scheduledRequestOf,
  submitScheduled,
} from './submit/scheduled-request.js';
export { type SubmitOptions, submitCorpus } from './submit/submit-corpus.js';
export { submitFiles } from './submit/submit-files.js';
export { type Destination, type Submission, type Submit, submitRun } from './submit/submit-run.js';
export { Worker, type WorkerOptions } from './work/worker.js';
