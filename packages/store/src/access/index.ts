export { type AuditEntry, type AuditQuery, type AuditRow, audit, listAudit } from './audit.js';
export {
  anyKey,
  checkKeys,
  createKey,
  KEY_MARK,
  type KeyRow,
  listKeys,
  type NewKey,
  revokeKey,
} from './keys.js';
export {
  beginSession,
  checkSessions,
  endSession,
  forgetSessions,
  type ShownCredentials,
  validCredentials,
} from './sessions.js';
