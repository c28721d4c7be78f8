export { prepareBackend, type QueueBackend } from './backend.js';
export {
  expressQueueNameOf,
  ParcelQueue,
  ParcelWorker,
  type QueuedParcel,
  queueNameOf,
  ReleasedError,
} from './parcel-queue.js';
export { inspectRedis, type RedisFacts } from './redis.js';
export { clockNameOf, ScheduleClock } from './schedule-clock.js';
