export * from './access/index.js';
export * from './batches/index.js';
export * from './files/index.js';
export type { ExpressDone } from './interactive/express-listener.js';
export { ExpressListener } from './interactive/express-listener.js';
export {
  cancelAbandonedExpress,
  cancelExpress,
  EXPRESS_WAIT_SECONDS,
  forgetExpress,
  purgeExpress,
  waitingExpress,
} from './interactive/express-parcels.js';
export {
  type KnownOutcome,
  knownOutcomes,
  type SubmittedExpress,
  submitExpress,
} from './interactive/submit-express.js';
export { type ExportOptions, type ExportRow, exportRows } from './items/export-rows.js';
export { forgetStoppedTexts, keptTexts } from './items/forget-texts.js';
export * from './items/index.js';
export { type ContentOutcome, completeParcel } from './parcels/complete-parcel.js';
export {
  countLostLease,
  countTry,
  forgiveTry,
  type LeasedParcel,
  leaseParcel,
  SUSPECT_AFTER,
} from './parcels/lease-parcel.js';
export { splitParcel } from './parcels/split-parcel.js';
export {
  type NewParcel,
  runHasEnded,
  submitWindow,
  type Window,
  type WindowItem,
} from './parcels/submit-window.js';
export {
  adoptParcels,
  type WaitingClass,
  type WaitingGuard,
  waitingByClass,
  waitingGuards,
  waitingParcels,
} from './parcels/waiting-parcels.js';
export * from './policies/index.js';
export * from './ranking/index.js';
export * from './reviews/index.js';
export {
  attendRun,
  cancelAbandonedRuns,
  leaveRun,
  type UnattendedRun,
  unattendedRuns,
} from './runs/attend-run.js';
export { cancelRun, failRun, finishRun, settledRuns } from './runs/finish-run.js';
export { type GuardRow, listGuards } from './runs/list-guards.js';
export { prepareRuns } from './runs/prepare-runs.js';
export { type PurgedRuns, purgeableRuns, purgeRuns, purgeScores, purgeTexts } from './runs/purge-runs.js';
export {
  findRun,
  getRun,
  listRuns,
  type ProblemReason,
  type ProblemRow,
  pageRuns,
  problemReasons,
  problemRows,
  type Run,
  type RunCounts,
  type RunsPage,
  runHead,
} from './runs/read-runs.js';
export { noSuchRun, type RetriedRun, retryRun } from './runs/retry-run.js';
export { hasUnresolvedItems, type RunProgress, runProgress } from './runs/run-progress.js';
export {
  createRun,
  guardQueue,
  noteRun,
  openRowsOf,
  type RegisteredGuard,
  type RunOptions,
  registerGuard,
  runNotes,
  runSources,
  setRunState,
} from './runs/runs.js';
export * from './schedules/index.js';
export type { PolicyChange } from './schema/access.js';
export { migrateSchema, type SchemaState, schemaState } from './schema/migrate.js';
export { type KnownContent, knownContents } from './scores/known-contents.js';
