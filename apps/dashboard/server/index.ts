export { isLoopback } from './access/request-origin.js';
export type { App } from './app.js';
export type { DashboardOptions } from './dashboard.js';
export { createDashboard } from './dashboard.js';
export type { GuardOffer } from './guards/served-guards.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export type { ScheduleRules } from './services.js';
