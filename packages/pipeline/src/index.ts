export {
  Admission,
  BusyError,
  DEFAULT_ADMISSION,
  Turns,
} from './interactive/admission.js';
export {
  type ExpressOutcome,
  ExpressScorer,
  type ExpressScorerOptions,
  ExpressTimeoutError,
} from './interactive/express-scorer.js';
export { exportScores, itemValue } from './runs/export-scores.js';
export { reconcile, retryQueued } from './runs/reconcile.js';

export {
  readQuery,
  readScheduledRequest,
  type ScheduledRequest,
  scheduledRequestOf,
  submitScheduled,
} from './submit/scheduled-request.js';
export { submitCorpus } from './submit/submit-corpus.js';
export { submitFiles } from './submit/submit-files.js';
export {
  type Destination,
  guardText,
  registerOpenGuard,
  type Submission,
  type Submit,
  submitRun,
} from './submit/submit-run.js';
export { Worker } from './work/worker.js';
