export { nextTime, nextTimes, parseTimes } from './cron.js';
export type { SubmitScheduled } from './firings.js';
export type { FiringSummary } from './messages.js';
export { Scheduler, type SchedulerOptions, wakeSchedulers } from './scheduler.js';
export { DEFAULT_SECRET_ENV, parseSecretEnv, type Sent, sendTest } from './webhook/send.js';
export { allowPrivateOf, parseWebhookUrl, shownUrl } from './webhook/webhook-url.js';
