export { prepareBackend, type QueueBackend } from './backend.js';
export { inspectRedis, type RedisFacts } from './inspect-redis.js';
export { expressQueueNameOf, ParcelQueue, type QueuedParcel, queueNameOf } from './parcel-queue.js';
export { GiveBack, ParcelWorker, type ParcelWorkerOptions } from './parcel-worker.js';
export { type ClockEntry, clockNameOf, ScheduleClock } from './schedule-clock.js';
