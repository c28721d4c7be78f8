import type { Pool } from '@tocsin/postgres';
import { and, desc, eq, lt } from 'drizzle-orm';
import { auditLog } from '../schema/access.js';
import { type Queryable, runQuery } from '../schema/run-query.js';

export type AuditRow = typeof auditLog.$inferSelect;

/** An action for the audit log. Contains no row text and no secret. */
export type AuditEntry = Omit<typeof auditLog.$inferInsert, 'id' | 'at' | 'keyId'> & Pick<AuditRow, 'keyId'>;

/** Writes one entry. Await it before the action itself, so that there is no change without its entry. */
export async function audit(pool: Queryable, entry: AuditEntry): Promise<void> {
  await runQuery(pool, (db) => db.insert(auditLog).values(entry));
}

export interface AuditQuery {
  limit: number;
  /** Older than this entry. */
  before?: number;
  runId?: number;
  who?: string;
  action?: string;
}

/** Entries, newest first. */
export function listAudit(
  pool: Pool,
  { limit, before, runId, who, action }: AuditQuery,
): Promise<AuditRow[]> {
  return runQuery(pool, (db) =>
    db
      .select()
      .from(auditLog)
      .where(
        and(
          before === undefined ? undefined : lt(auditLog.id, before),
          runId === undefined ? undefined : eq(auditLog.runId, runId),
          who === undefined ? undefined : eq(auditLog.who, who),
          action === undefined ? undefined : eq(auditLog.action, action),
        ),
      )
      .orderBy(desc(auditLog.id))
      .limit(limit),
  );
}
