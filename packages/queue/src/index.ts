export { inspectRedis, type RedisFacts } from './ask-redis.js';
export { prepareBackend, type QueueBackend } from './backend.js';
export {
  expressQueueNameOf,
  GiveBack,
  ParcelQueue,
  ParcelWorker,
  type QueuedParcel,
  queueNameOf,
} from './parcel-queue.js';
export { clockNameOf, ScheduleClock } from './schedule-clock.js';
