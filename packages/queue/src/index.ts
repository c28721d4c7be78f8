export { prepareBackend, type QueueBackend } from './backend.js';
export { expressQueueNameOf, ParcelQueue, queueNameOf } from './parcel-queue.js';
export { GiveBack, ParcelWorker, type ParcelWorkerOptions } from './parcel-worker.js';
