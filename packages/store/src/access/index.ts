export { type AuditEntry, type AuditQuery, type AuditRow, audit, listAudit } from './audit.js';
export {
  anyKey,
  checkKey,
  createKey,
  KEY_MARK,
  type KeyRow,
  listKeys,
  type NewKey,
  revokeKey,
} from './keys.js';
export { beginSession, checkSession, endSession, forgetSessions } from './sessions.js';
