import type { Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, sql } from 'drizzle-orm';
import { batches } from '../schema/dashboard.js';
import { inserted, runQuery } from '../schema/run-query.js';

export type { BatchFault } from '../schema/dashboard.js';

/** All columns but `seenAt`. */
const { seenAt: _, ...columns } = getTableColumns(batches);
export const BATCH = columns;
/** A file of requests that is scored as a run. */
export type BatchRow = Omit<typeof batches.$inferSelect, 'seenAt'>;

export interface NewBatch {
  id: string;
  ownerKey?: string | null;
  inputFile: string;
  endpoint: string;
  completionWindow: string;
  metadata?: Record<string, string> | null;
  /** Seconds for which output and error file are kept; for ever if left out. */
  outputExpiresAfter?: number;
  expiresAt: Date;
}

/** Makes a batch, in state `validating`: whoever takes it goes on with it. */
export async function addBatch(pool: Pool, batch: NewBatch): Promise<BatchRow> {
  return inserted(await runQuery(pool, (db) => db.insert(batches).values(batch).returning(BATCH)));
}

/** One; undefined when there is none. */
export async function findBatch(pool: Pool, id: string): Promise<BatchRow | undefined> {
  const [batch] = await runQuery(pool, (db) => db.select(BATCH).from(batches).where(eq(batches.id, id)));
  return batch;
}

export interface BatchesPage {
  limit: number;
  /** Older than this one. */
  after?: string;
  /** Batches of this key only. */
  ownerKey?: string;
}

/** Batches, the newest first. */
export function pageBatches(pool: Pool, { limit, after, ownerKey }: BatchesPage): Promise<BatchRow[]> {
  return runQuery(pool, (db) =>
    db
      .select(BATCH)
      .from(batches)
      .where(
        and(
          ownerKey === undefined ? undefined : eq(batches.ownerKey, ownerKey),
          after === undefined
            ? undefined
            : sql`(${batches.createdAt}, ${batches.id}) < (select created_at, id from ${batches} where id = ${after})`,
        ),
      )
      .orderBy(desc(batches.createdAt), desc(batches.id))
      .limit(limit),
  );
}
