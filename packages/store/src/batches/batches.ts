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

/** A process that has not been heard of for so long has lost its batches. */
const LOST_AFTER_SECONDS = 15;

/** The process that submits a batch keeps it when the state changes; in any other state the batch is free. */
const SEEN_WHILE_SUBMITTED = sql`case when ${batches.state} = 'validating' then ${batches.seenAt} end`;

/** A batch as somebody has taken it: by that number, one who has lost it to another is known. */
export type ClaimedBatch = Pick<BatchRow, 'id' | 'takes'>;

/**
 * Takes the oldest batch that is to be submitted or to be ended and that no process works on, one that died over it
 * included. The caller says now and then that it is there (`attendBatch`). Between the two, while its run is scored,
 * nobody has a batch: see `settleBatches`.
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

/** Says that the process that took a batch is there. @returns it as it is now; undefined when another has taken it */
export function attendBatch(pool: Pool, taken: ClaimedBatch): Promise<BatchRow | undefined> {
  return updateBatch(pool, { seenAt: sql`now()` }, () => isTaken(taken));
}

/** Gives a batch back: whoever asks next takes it, without a wait. */
export async function leaveBatch(pool: Pool, taken: ClaimedBatch): Promise<void> {
  await updateBatch(pool, { seenAt: null }, () => isTaken(taken));
}

/** What has become of a batch; the rest stays. */
export interface BatchChanges {
  /** How it is ended otherwise: `endBatch`. */
  state?: 'in_progress' | 'failed';
  runId?: number;
  model?: string;
  total?: number;
  completed?: number;
  failed?: number;
  errors?: BatchFault[];
}

/**
 * Changes a batch that the caller has taken; a new state gets its time.
 * @returns undefined when another has taken it, it is over, or it is to be ended and would be in progress
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
 * Cancels a batch whose run is not over: whoever works on it finds that out when it attends it, and it is ended then.
 * @returns undefined when it is too late, or there is none
 */
export function cancelBatch(pool: Pool, id: string): Promise<BatchRow | undefined> {
  const set: BatchUpdate = { state: 'cancelling', cancellingAt: sql`now()`, seenAt: SEEN_WHILE_SUBMITTED };
  return updateBatch(pool, set, () =>
    and(eq(batches.id, id), inArray(batches.state, ['validating', 'in_progress'])),
  );
}

/** A file that was written, and is to be completed. */
export interface WrittenFile {
  id: string;
  bytes: number;
}

/** What a batch came to. */
export interface BatchEnd {
  state: 'completed' | 'expired' | 'cancelled';
  total: number;
  completed: number;
  failed: number;
  /** With what was answered; undefined when nothing was. */
  output: WrittenFile | undefined;
  /** With what was not. */
  errors: WrittenFile | undefined;
}

const TIME_OF = {
  completed: 'completedAt',
  expired: 'expiredAt',
  cancelled: 'cancelledAt',
} as const satisfies Record<BatchEnd['state'], keyof typeof batches.$inferSelect>;

/**
 * Ends a batch: its files are there from now on, or none of this is.
 * @returns false when another has taken it
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
 * Moves batches on whose run is over, or whose time is up: they are to be finalized. Whoever works on one whose time is
 * up finds that out when it attends it.
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
