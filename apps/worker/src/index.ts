export { type RunWorkerOptions, runWorker } from './run-worker.js';
export { Worker, type WorkerOptions } from './worker.js';
