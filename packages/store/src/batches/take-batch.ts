import type { Pool } from '@tocsin/postgres';
import { and, eq, inArray, isNull, lt, or, type SQL, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type { PgUpdateSetSource } from 'drizzle-orm/pg-core';
import { batches, OPEN_BATCHES } from '../schema/dashboard.js';
import { runQuery } from '../schema/run-query.js';
import { BATCH, type BatchFault, type BatchRow } from './batches.js';

/** A process that has not been heard of for so long has lost its batches. */
const LOST_AFTER_SECONDS = 15;

/** The process that submits a batch keeps it when the state changes; in any other state the batch is free. */
export const SEEN_WHILE_SUBMITTED = sql`case when ${batches.state} = 'validating' then ${batches.seenAt} end`;

/** A batch as somebody has taken it: by that number, one who has lost it to another is known. */
export type TakenBatch = Pick<BatchRow, 'id' | 'takes'>;

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

const isTaken = ({ id, takes }: TakenBatch) => and(eq(batches.id, id), eq(batches.takes, takes));

/** Says that the process that took a batch is there. @returns it as it is now; undefined when another has taken it */
export function attendBatch(pool: Pool, taken: TakenBatch): Promise<BatchRow | undefined> {
  return updateBatch(pool, { seenAt: sql`now()` }, () => isTaken(taken));
}

/** Gives a batch back: whoever asks next takes it, without a wait. */
export async function leaveBatch(pool: Pool, taken: TakenBatch): Promise<void> {
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
  taken: TakenBatch,
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
