export * from './access/index.js';
export {
  attendRun,
  cancelAbandonedRuns,
  leaveRun,
  type UnattendedRun,
  unattendedRuns,
} from './attend-run.js';
export * from './batches/index.js';
export { type ContentOutcome, completeParcel } from './complete-parcel.js';
export {
  type ConnectOptions,
  cancelWhenInterrupted,
  createPool,
  type Pool,
  requireConnection,
} from './connect.js';
export { defaultDataDir, type EmbeddedServer, findBinaries, startEmbedded } from './embedded/index.js';
export { type ExportOptions, type ExportRow, exportRows } from './export-rows.js';
export type { ExpressDone } from './express/express-done.js';
export { ExpressListener } from './express/express-listener.js';
export { type KnownOutcome, knownOutcomes } from './express/express-outcomes.js';
export {
  cancelAbandonedExpress,
  cancelExpress,
  EXPRESS_WAIT_SECONDS,
  forgetExpress,
  purgeExpress,
  waitingExpress,
} from './express/express-parcels.js';
export { type SubmittedExpress, submitExpress } from './express/submit-express.js';
export * from './files/index.js';
export { finishRun, settledRuns } from './finish-run.js';
export { forgetStoppedTexts } from './forget-texts.js';
export * from './items/index.js';
export { keptTexts } from './kept-texts.js';
export { type KnownContent, knownContents } from './known-contents.js';
export { Leadership } from './leadership.js';
export { type LeasedParcel, leaseParcel } from './lease-parcel.js';
export { type GuardRow, listGuards } from './list-guards.js';
export { getRun, listRuns, type RunHead, type RunRow, runHead } from './list-runs.js';
export { migrateSchema, type SchemaState, schemaState } from './migrate.js';
export { findRun, pageRuns, type RankedCounts, type RunSummary, type RunsPage } from './page-runs.js';
export * from './policies/index.js';
export { prepareRuns } from './prepare-runs.js';
export { type ProblemReason, type ProblemRow, problemReasons, problemRows } from './problem-rows.js';
export { type PurgedRuns, purgeableRuns, purgeRuns, purgeScores, purgeTexts } from './purge-runs.js';
export * from './ranking/index.js';
export { isTransient, withRetry } from './retry.js';
export { noSuchRun, type RetriedRun, retryRun } from './retry-run.js';
export * from './reviews/index.js';
export { hasUnresolvedItems, type RunProgress, runProgress } from './run-progress.js';
export {
  createRun,
  guardQueue,
  openRowsOf,
  type RegisteredGuard,
  type RunCounts,
  type RunOptions,
  registerGuard,
  runCounts,
  setRunState,
} from './runs.js';
export * from './schedules/index.js';
export {
  DEFAULT_RETENTION,
  type DeliveryState,
  type FiringCause,
  type FiringState,
  RETENTIONS,
  type Retention,
  type RunState,
} from './schema.js';
export { type PolicyChange, ROLES, type Role } from './schema-access.js';
export { BATCH_STATES, type BatchState, VERDICTS, type Verdict } from './schema-dashboard.js';
export { splitParcel } from './split-parcel.js';
export { cancelRun, failRun } from './stop-run.js';
export {
  type NewParcel,
  runHasEnded,
  submitWindow,
  type Window,
  type WindowItem,
} from './submit-window.js';
export { countLostLease, countTry, forgiveTry, SUSPECT_AFTER } from './suspect-parcel.js';
export { type WaitingClass, waitingByClass } from './waiting-by-class.js';
export { type WaitingGuard, waitingGuards } from './waiting-guards.js';
export { adoptParcels, waitingParcels } from './waiting-parcels.js';
