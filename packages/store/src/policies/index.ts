export {
  addPolicy,
  type Change,
  changePolicy,
  findPolicy,
  listPolicies,
  type NewPolicy,
  type PolicyChangeRow,
  type PolicyChanges,
  type PolicyRow,
  policyChanges,
} from './policies.js';
