export { changePolicy, type PolicyChanges } from './change-policy.js';
export { addPolicy, findPolicy, listPolicies, type NewPolicy, type PolicyRow } from './policies.js';
export { type Change, type PolicyChangeRow, policyChanges } from './policy-changes.js';
