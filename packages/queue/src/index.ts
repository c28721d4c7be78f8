export { prepareBackend, type QueueBackend } from './backend.js';
export { ParcelQueue, queueNameOf } from './parcel-queue.js';
export { ParcelWorker, type ParcelWorkerOptions } from './parcel-worker.js';
