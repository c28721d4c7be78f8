export { isLoopback } from './access/request-origin.js';
export type { App } from './app.js';

export { createDashboard } from './dashboard.js';

export { DEFAULT_LIMITS } from './limits.js';
