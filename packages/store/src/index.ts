export { type AuditEntry, type AuditQuery, type AuditRow, audit, listAudit } from './access/audit.js';
export {
  anyKey,
  checkKeys,
  createKey,
  KEY_MARK,
  type KeyRow,
  listKeys,
  type NewKey,
  revokeKey,
} from './access/keys.js';
export {
  beginSession,
  checkSessions,
  endSession,
  forgetSessions,
  type ShownCredentials,
  validCredentials,
} from './access/sessions.js';
export {
  addBatch,
  attendBatch,
  type BatchChanges,
  type BatchEnd,
  type BatchesPage,
  type BatchRow,
  type ClaimedBatch,
  cancelBatch,
  changeBatch,
  endBatch,
  findBatch,
  leaveBatch,
  type NewBatch,
  pageBatches,
  settleBatches,
  takeBatch,
  type WrittenFile,
} from './batches/batches.js';
export {
  beginFile,
  CHUNK_BYTES,
  completeFile,
  deleteFile,
  type FileRow,
  type FilesPage,
  FileWriter,
  findFile,
  findInput,
  forgetFiles,
  type NewFile,
  pageFiles,
  purgeFiles,
  purgeRunFiles,
  readFileChunks,
} from './files/files.js';
export type { ExpressDone } from './interactive/express-listener.js';
export { ExpressListener } from './interactive/express-listener.js';
export {
  cancelAbandonedExpress,
  cancelExpress,
  EXPRESS_WAIT_SECONDS,
  forgetExpress,
  type KnownOutcome,
  knownOutcomes,
  purgeExpress,
  type SubmittedExpress,
  submitExpress,
  waitingExpress,
} from './interactive/express-parcels.js';
export { type ExportOptions, type ExportRow, exportRows } from './items/export-rows.js';
export { forgetStoppedTexts, keptTexts } from './items/forget-texts.js';
export { findItem, type ItemCursor, type ItemRow, isCut, itemsBySeq, type ScoredRun } from './items/items.js';
export { type ItemsPage, type ItemsQuery, pageItems } from './items/page-items.js';
export { plainText } from './items/search-texts.js';
export { type TextsOfRows, type TextsOptions, textsInTurn } from './items/texts-in-turn.js';
export { type ContentOutcome, completeParcel } from './parcels/complete-parcel.js';
export {
  countLostLease,
  forgiveAttempt,
  type LeasedParcel,
  leaseParcel,
  QUARANTINE_AFTER,
  recordAttempt,
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
export {
  addPolicy,
  type Change,
  changePolicy,
  findPolicy,
  listPolicies,
  type NewPolicy,
  type PolicyChangeRow,
  type PolicyChanges,
  type PolicyRow,
  policyChanges,
} from './policies/policies.js';
export { type ComparedKey, compareRuns, type RunComparison } from './ranking/compare-runs.js';
export {
  eachRanked,
  type Outwards,
  type RankedChunk,
  type RankedPage,
  type RankedRow,
  randomRows,
  rankedRows,
  type ScoreOrder,
  uncertainRows,
} from './ranking/ranked-rows.js';
export { type Ranking, rankRun } from './ranking/ranking.js';
export {
  countAtLeast,
  countByScore,
  previewThreshold,
  type ThresholdPreview,
} from './ranking/score-counts.js';
export { judgedScores } from './reviews/judged-scores.js';
export { nextReview, type ReviewedRun, type ReviewQuery } from './reviews/next-review.js';
export { type LeasedRow, leaseFirst, REVIEW_LEASE_SECONDS, releaseReviews } from './reviews/review-leases.js';
export {
  giveVerdict,
  type JudgedContent,
  judgedContents,
  type NewVerdict,
  type ReviewerCounts,
  reviewerCounts,
  undoVerdict,
  type VerdictRow,
} from './reviews/verdicts.js';
export {
  attendRun,
  cancelAbandonedRuns,
  leaveRun,
  type UnattendedRun,
  unattendedRuns,
} from './runs/attend-run.js';
export { cancelRun, failRun, finishRun, settledRuns } from './runs/finish-run.js';
export { prepareRuns } from './runs/prepare-runs.js';
export { type PurgedRuns, purgeableRuns, purgeRuns, purgeScores, purgeTexts } from './runs/purge-runs.js';
export {
  findRun,
  type GuardRow,
  getRun,
  listGuards,
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
export {
  type ClaimedFiring,
  type ClaimOptions,
  claimFirings,
  type DueSchedule,
  fireNow,
} from './schedules/claim-firings.js';
export {
  type Attempt,
  type DeliveryRow,
  listDeliveries,
  type Message,
  noteAttempt,
  takeDelivery,
} from './schedules/deliveries.js';
export {
  attendFiring,
  eachScore,
  endedFirings,
  endFiring,
  type FiringClaim,
  type FiringEnd,
  type FiringRow,
  firingOf,
  listFirings,
  newFlagged,
  runBefore,
  type ScoreCount,
  setFiringRun,
  setFiringState,
  takeFiring,
} from './schedules/firings.js';
export {
  addSchedule,
  closeWebhook,
  getSchedule,
  installationId,
  listSchedules,
  type NewSchedule,
  noSuchSchedule,
  pauseSchedule,
  removeSchedule,
  resumeSchedule,
  type ScheduleRow,
  type Webhook,
} from './schedules/schedules.js';
export type { PolicyChange } from './schema/access.js';
export type { BatchFault } from './schema/dashboard.js';
export { migrateSchema, type SchemaState, schemaState } from './schema/migrate.js';
export { type KnownContent, knownContents } from './scores/contents.js';
