export { DEFAULT_DRAIN_MS, type RunWorkerOptions, runWorker } from './run-worker.js';
