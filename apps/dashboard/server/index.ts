export { isLoopback } from './access/loopback.js';
export type { App } from './app.js';
export { createDashboard } from './dashboard.js';
export type { GuardOffer } from './guards/served-guard.js';
export { DEFAULT_LIMITS, type Limits } from './limits.js';
export type { DashboardOptions } from './options.js';
export type { ScheduleRules } from './schedules/rules.js';
