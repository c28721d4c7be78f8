export {
  type ClaimedFiring,
  type ClaimOptions,
  claimFirings,
  type DueSchedule,
  fireNow,
} from './claim-firings.js';
export {
  eachScore,
  newFlagged,
  runBefore,
  type ScoreCount,
} from './compare-scores.js';
export {
  type Attempt,
  type DeliveryRow,
  listDeliveries,
  type Message,
  noteAttempt,
  takeDelivery,
} from './deliveries.js';
export {
  attendFiring,
  endedFirings,
  endFiring,
  type FiringEnd,
  type FiringRow,
  firingOf,
  listFirings,
  setFiringRun,
  setFiringState,
  type TakenFiring,
  takeFiring,
} from './firings.js';
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
} from './schedules.js';
