export { prepareBackend, type QueueBackend } from './backend.js';
export {
  expressQueueNameOf,
  GiveBack,
  ParcelQueue,
  ParcelWorker,
  type QueuedParcel,
  queueNameOf,
} from './parcel-queue.js';
export { inspectRedis, type RedisFacts } from './redis.js';
export { clockNameOf, ScheduleClock } from './schedule-clock.js';
