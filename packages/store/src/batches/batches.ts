import { OPEN_RUN_STATES } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import {
  and,
  desc,
  eq,
  getTableColumns,
  inArray,
  isNull,
  lt,
  notExists,
  or,
  type SQL,
  sql,
} from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { completeFile } from '../files/files.js';
import { type BatchFault, batches, OPEN_BATCHES } from '../schema/dashboard.js';
import { runs } from '../schema/pipeline.js';
import { inserted, runQuery } from '../schema/run-query.js';

/** All columns but `seenAt`. */
const { seenAt: _, ...columns } = getTableColumns(batches);
const BATCH = columns;
/** A file of requests, scored as a run. */
export type BatchRow = Omit<typeof batches.$inferSelect, 'seenAt'>;

export interface NewBatch {
  id: string;
  ownerKey?: string | null;
  inputFile: string;
  endpoint: string;
  completionWindow: string;
  metadata?: Record<string, string> | null;
  /** Lifetime in seconds of output and error files; unlimited by default. */
  outputExpiresAfter?: number;
  expiresAt: Date;
}

/** Creates a batch in state `validating`, for any process to claim. */
export async function addBatch(pool: Pool, batch: NewBatch): Promise<BatchRow> {
  return inserted(await runQuery(pool, (db) => db.insert(batches).values(batch).returning(BATCH)));
}

/** A batch; undefined when it does not exist. */
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

/** Batches, newest first. */
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

/** A process without a heartbeat for this long has lost its batches. */
const LOST_AFTER_SECONDS = 15;

/** The submitting process keeps its claim when the state changes; in any other state the batch is free. */
const SEEN_WHILE_SUBMITTED = sql`case when ${batches.state} = 'validating' then ${batches.seenAt} end`;

/** A claim on a batch: its number tells whether another process has claimed it since. */
export type ClaimedBatch = Pick<BatchRow, 'id' | 'takes'>;

/**
 * Claims the oldest batch that must be submitted or finalized and that no live process works on. The caller must send
 * heartbeats (`attendBatch`). Between the two steps, while its run is scored, no process has a claim: see `settleBatches`.
 */
export function takeBatch(pool: Pool): Promise<BatchRow | undefined> {
  return updateBatch(pool, { takes: sql`${batches.takes} + 1`, seenAt: sql`now()` }, (db) => {
    const lost = lt(batches.seenAt, sql`now() - make_interval(secs => ${LOST_AFTER_SECONDS})`);
    const next = db
      .select({ id: batches.id })
      .from(batches)
      .where(
        and(
          inArray(batches.state, ['validating', 'finalizing', 'cancelling']),
          or(isNull(batches.seenAt), lost),
        ),
      )
      .orderBy(batches.createdAt, batches.id)
      .limit(1)
      .for('update', { skipLocked: true });
    return eq(batches.id, next);
  });
}

type BatchUpdate = PgUpdateSetSource<typeof batches>;

async function updateBatch(
  pool: Pool,
  set: BatchUpdate,
  which: (db: NodePgDatabase) => SQL | undefined,
): Promise<BatchRow | undefined> {
  const [batch] = await runQuery(pool, (db) => db.update(batches).set(set).where(which(db)).returning(BATCH));
  return batch;
}

const isTaken = ({ id, takes }: ClaimedBatch) => and(eq(batches.id, id), eq(batches.takes, takes));

/** Sends a heartbeat for a claimed batch. @returns its current state; undefined when another process has claimed it */
export function attendBatch(pool: Pool, taken: ClaimedBatch): Promise<BatchRow | undefined> {
  return updateBatch(pool, { seenAt: sql`now()` }, () => isTaken(taken));
}

/** Releases a claim, so that another process can claim the batch immediately. */
export async function leaveBatch(pool: Pool, taken: ClaimedBatch): Promise<void> {
  await updateBatch(pool, { seenAt: null }, () => isTaken(taken));
}

/** Changes of a batch; other fields stay. */
export interface BatchChanges {
  /** Other final states are set by `endBatch`. */
  state?: 'in_progress' | 'failed';
  runId?: number;
  model?: string;
  total?: number;
  completed?: number;
  failed?: number;
  errors?: BatchFault[];
}

/**
 * Changes a claimed batch; a new state gets its timestamp.
 * @returns undefined when another process has claimed it, it has ended, or it is being cancelled and would be in progress
 */
export function changeBatch(
  pool: Pool,
  taken: ClaimedBatch,
  changes: BatchChanges,
): Promise<BatchRow | undefined> {
  const now = sql`now()`;
  const set: BatchUpdate = {
    ...changes,
    seenAt: now,
    ...(changes.state === 'in_progress' && { inProgressAt: now }),
    ...(changes.state === 'failed' && { failedAt: now }),
  };
  return updateBatch(pool, set, () =>
    and(
      isTaken(taken),
      sql`${batches.state} in ${OPEN_BATCHES}`,
      changes.state === 'in_progress' ? eq(batches.state, 'validating') : undefined,
    ),
  );
}

/**
 * Cancels a batch whose run has not ended; the process that works on it notices at its next heartbeat.
 * @returns undefined when it is too late, or there is none
 */
export function cancelBatch(pool: Pool, id: string): Promise<BatchRow | undefined> {
  const set: BatchUpdate = { state: 'cancelling', cancellingAt: sql`now()`, seenAt: SEEN_WHILE_SUBMITTED };
  return updateBatch(pool, set, () =>
    and(eq(batches.id, id), inArray(batches.state, ['validating', 'in_progress'])),
  );
}

/** A written file to be completed. */
export interface WrittenFile {
  id: string;
  bytes: number;
}

/** The result of a batch. */
export interface BatchEnd {
  state: 'completed' | 'expired' | 'cancelled';
  total: number;
  completed: number;
  failed: number;
  /** With the results; undefined without any. */
  output: WrittenFile | undefined;
  /** With the errors. */
  errors: WrittenFile | undefined;
}

const TIME_OF = {
  completed: 'completedAt',
  expired: 'expiredAt',
  cancelled: 'cancelledAt',
} as const satisfies Record<BatchEnd['state'], keyof typeof batches.$inferSelect>;

/**
 * Ends a batch and completes its files, in one transaction.
 * @returns false when another process has claimed it
 */
export function endBatch(pool: Pool, { id, takes }: ClaimedBatch, end: BatchEnd): Promise<boolean> {
  const { state, total, completed, failed, output, errors } = end;
  return inTransaction(pool, async (client) => {
    const { rowCount } = await runQuery(client, (db) =>
      db
        .update(batches)
        .set({
          state,
          total,
          completed,
          failed,
          [TIME_OF[state]]: sql`now()`,
          finalizingAt: sql`coalesce(${batches.finalizingAt}, now())`,
          seenAt: null,
          outputFile: output?.id ?? null,
          errorFile: errors?.id ?? null,
        })
        .where(
          and(
            eq(batches.id, id),
            eq(batches.takes, takes),
            inArray(batches.state, ['finalizing', 'cancelling']),
          ),
        ),
    );
    if (rowCount !== 1) return false;
    for (const file of [output, errors]) {
      if (file !== undefined) await completeFile(client, file.id, file.bytes);
    }
    return true;
  });
}

/**
 * Marks batches to be finalized when their runs have ended or they have expired. A process that works on an expired one
 * notices at its next heartbeat.
 * @returns how many
 */
export async function settleBatches(pool: Pool): Promise<number> {
  const { rowCount } = await runQuery(pool, (db) =>
    db
      .update(batches)
      .set({ state: 'finalizing', finalizingAt: sql`now()`, seenAt: SEEN_WHILE_SUBMITTED })
      .where(
        or(
          and(inArray(batches.state, ['validating', 'in_progress']), lt(batches.expiresAt, sql`now()`)),
          and(
            eq(batches.state, 'in_progress'),
            notExists(
              db
                .select({ id: runs.id })
                .from(runs)
                .where(and(eq(runs.id, batches.runId), inArray(runs.state, OPEN_RUN_STATES))),
            ),
          ),
        ),
      ),
  );
  return rowCount ?? 0;
}
