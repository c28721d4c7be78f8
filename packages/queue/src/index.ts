export { inspectRedis, type RedisFacts } from './ask-redis.js';
export { prepareBackend, type QueueBackend } from './backend.js';
export {
  expressQueueNameOf,
  GiveBack,
  ParcelQueue,
  ParcelWorker,
  type ParcelWorkerOptions,
  type QueuedParcel,
  queueNameOf,
} from './parcel-queue.js';
export { type ClockEntry, clockNameOf, ScheduleClock } from './schedule-clock.js';
