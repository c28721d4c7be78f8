export { type ReconcileOptions, reconcile } from './reconcile.js';
export { guardText, registerOpenGuard } from './register-guard.js';
export { DEFAULT_DRAIN_MS, type RunWorkerOptions, runWorker } from './run-worker.js';
export { settleRuns } from './settle-runs.js';
export { Worker, type WorkerOptions } from './worker.js';
