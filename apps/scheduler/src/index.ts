export { nextTime, nextTimes, parseTimes } from './cron.js';
export type { SubmitScheduled } from './firings.js';

export { Scheduler, type SchedulerOptions, wakeSchedulers } from './scheduler.js';
export type { FiringSummary } from './summary.js';
export { DEFAULT_SECRET_ENV, parseSecretEnv } from './webhook/secrets.js';
export {
  type Sent,
  sendTest,
} from './webhook/send.js';
export { allowPrivateOf, parseWebhookUrl, shownUrl } from './webhook/webhook-url.js';
