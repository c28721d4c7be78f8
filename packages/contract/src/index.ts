/** Requests and responses of the API, one file per subject: zod schemas, and the types inferred from them. */
export {
  isOpen,
  type Retention,
  type ReviewOrder,
  type Role,
  type RunState,
  type Verdict,
} from '@tocsin/core/vocabulary';
export * from './access.js';
export * from './items.js';
export * from './policies.js';
export * from './reviews.js';
export * from './runs.js';
export * from './schedules.js';
export * from './scoring.js';
export * from './values.js';
