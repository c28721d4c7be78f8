export { nextTime, nextTimes, parseTimes, type Times } from './cron.js';
export { type Event, type EventOrigin, messageOf } from './messages.js';
export { Scheduler, type SchedulerOptions, wakeSchedulers } from './scheduler.js';
export type { SubmitScheduled } from './submission.js';
export type { Drift, RunSummary } from './summary.js';
export { DEFAULT_SECRET_ENV, parseSecretEnv, readSecrets } from './webhook/secrets.js';
export { type SendOptions, type Sent, sendMessage } from './webhook/send.js';
export { sendTest, type WebhookOfSchedule } from './webhook/send-test.js';
export { allowPrivateOf, parseWebhookUrl, shownUrl, type WebhookRules } from './webhook/webhook-url.js';
