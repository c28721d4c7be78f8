export { nextTime, nextTimes, parseTimes, type Times } from './cron.js';
export type { SubmitScheduled } from './firings.js';
export type { DeliveryOutcome, FiringOutcome, ScheduleMeasures } from './messages.js';
export { type Event, type EventOrigin, messageOf } from './messages.js';
export { Scheduler, type SchedulerOptions, wakeSchedulers } from './scheduler.js';
export type { Drift, FiringSummary } from './summary.js';
export { DEFAULT_SECRET_ENV, parseSecretEnv, readSecrets } from './webhook/secrets.js';
export {
  type SendOptions,
  type Sent,
  sendMessage,
  sendTest,
  type WebhookOfSchedule,
} from './webhook/send.js';
export { allowPrivateOf, parseWebhookUrl, shownUrl, type WebhookRules } from './webhook/webhook-url.js';
