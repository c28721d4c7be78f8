import type { Pool } from '@tocsin/postgres';

/** What somebody did. Never a text in it, and no secret. */
export interface AuditEntry {
  /** Null for whoever needed no key. */
  keyId: string | null;
  /** The key's name, `local`, ... */
  who: string;
  /** What was done: `policy.change`, `text.read`, ... */
  action: string;
  /** What it was done to: a policy's name, a key's id, ... */
  subject: string;
  runId?: number;
  seq?: number;
  /** Plain JSON: numbers, names. */
  details?: Record<string, unknown>;
}

export interface AuditRow {
  id: number;
  at: Date;
  keyId: string | null;
  who: string;
  action: string;
  subject: string;
  runId: number | null;
  seq: number | null;
  details: Record<string, unknown> | null;
}

/** Writes one entry. What it tells of is done only when this has come back: there is no change without its entry. */
export async function audit(pool: Pick<Pool, 'query'>, entry: AuditEntry): Promise<void> {
  await pool.query(
    `insert into audit_log (key_id, who, action, subject, run_id, seq, details)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      entry.keyId,
      entry.who,
      entry.action,
      entry.subject,
      entry.runId ?? null,
      entry.seq ?? null,
      entry.details === undefined ? null : JSON.stringify(entry.details),
    ],
  );
}

export interface AuditQuery {
  limit: number;
  /** Older than this entry. */
  before?: number;
  runId?: number;
  who?: string;
  action?: string;
}

/** Entries, the newest first. */
export async function listAudit(pool: Pool, query: AuditQuery): Promise<AuditRow[]> {
  const { rows } = await pool.query<AuditRow>(
    `select id, at, key_id as "keyId", who, action, subject, run_id as "runId", seq, details
     from audit_log
     where ($2::bigint is null or id < $2) and ($3::bigint is null or run_id = $3)
       and ($4::text is null or who = $4) and ($5::text is null or action = $5)
     order by id desc limit $1`,
    [query.limit, query.before ?? null, query.runId ?? null, query.who ?? null, query.action ?? null],
  );
  return rows;
}
