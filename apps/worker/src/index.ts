export { DEFAULT_DRAIN_MS, runWorker } from './run-worker.js';
