export {
  Admission,
  type AdmissionLimits,
  BusyError,
  DEFAULT_ADMISSION,
  type Ticket,
  Turns,
} from './interactive/admission.js';
export {
  type ExpressOutcome,
  type ExpressScoreOptions,
  ExpressScorer,
  type ExpressScorerOptions,
  ExpressTimeoutError,
} from './interactive/express-scorer.js';
export { type Exported, exportScores, itemValue, type ScoredRun } from './runs/export-scores.js';
export { type ReconcileOptions, reconcile, retryQueued, settleRuns } from './runs/reconcile.js';
export { cutParcels, PARCEL_LIMITS } from './submit/plan-window.js';
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
export {
  type Destination,
  guardText,
  registerOpenGuard,
  type Submission,
  type Submit,
  submitRun,
} from './submit/submit-run.js';
export { Worker, type WorkerOptions } from './work/worker.js';
