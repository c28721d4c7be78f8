import type { Pool } from '@tocsin/postgres';
import { BATCH_COLUMNS, type BatchFault, type BatchRow } from './batches.js';

/** A process that has not been heard of for so long has lost its batches. */
const LOST_AFTER_SECONDS = 15;
const OPEN = `('validating', 'in_progress', 'finalizing', 'cancelling')`;

/** A batch as somebody has taken it: by that number, one who has lost it to another is known. */
export type TakenBatch = Pick<BatchRow, 'id' | 'takes'>;

/**
 * Takes the oldest batch that is to be submitted or to be ended and that no process works on, one that died over it
 * included. The caller says now and then that it is there (`attendBatch`). Between the two, while its run is scored,
 * nobody has a batch: see `settleBatches`.
 */
export async function takeBatch(pool: Pool): Promise<BatchRow | undefined> {
  const { rows } = await pool.query<BatchRow>(
    `update batches b set takes = takes + 1, seen_at = now()
     where id = (select id from batches
                 where state in ('validating', 'finalizing', 'cancelling')
                   and (seen_at is null or seen_at < now() - make_interval(secs => $1))
                 order by created_at, id limit 1 for update skip locked)
     returning ${BATCH_COLUMNS}`,
    [LOST_AFTER_SECONDS],
  );
  return rows[0];
}

/** Says that the process that took a batch is there. @returns it as it is now; undefined when another has taken it */
export async function attendBatch(pool: Pool, taken: TakenBatch): Promise<BatchRow | undefined> {
  const { rows } = await pool.query<BatchRow>(
    `update batches b set seen_at = now() where id = $1 and takes = $2 returning ${BATCH_COLUMNS}`,
    [taken.id, taken.takes],
  );
  return rows[0];
}

/** Gives a batch back: whoever asks next takes it, without a wait. */
export async function leaveBatch(pool: Pool, taken: TakenBatch): Promise<void> {
  await pool.query('update batches set seen_at = null where id = $1 and takes = $2', [taken.id, taken.takes]);
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
  errors?: readonly BatchFault[];
}

/**
 * Changes a batch that the caller has taken; a new state gets its time.
 * @returns undefined when another has taken it, it is over, or it is to be ended and would be in progress
 */
export async function changeBatch(
  pool: Pool,
  taken: TakenBatch,
  changes: BatchChanges,
): Promise<BatchRow | undefined> {
  const { rows } = await pool.query<BatchRow>(
    `update batches b
     set state = coalesce($3, state), run_id = coalesce($4, run_id), total = coalesce($5, total),
         completed = coalesce($6, completed), failed = coalesce($7, failed),
         model = coalesce($8, model), errors = coalesce($9, errors), seen_at = now(),
         in_progress_at = case when $3 = 'in_progress' then now() else in_progress_at end,
         failed_at = case when $3 = 'failed' then now() else failed_at end
     where id = $1 and takes = $2 and state in ${OPEN} and ($3 is distinct from 'in_progress' or state = 'validating')
     returning ${BATCH_COLUMNS}`,
    [
      taken.id,
      taken.takes,
      changes.state,
      changes.runId,
      changes.total,
      changes.completed,
      changes.failed,
      changes.model,
      changes.errors === undefined ? null : JSON.stringify(changes.errors),
    ],
  );
  return rows[0];
}

/**
 * Cancels a batch whose run is not over: whoever works on it finds that out when it attends it, and it is ended then.
 * @returns undefined when it is too late, or there is none
 */
export async function cancelBatch(pool: Pool, id: string): Promise<BatchRow | undefined> {
  const { rows } = await pool.query<BatchRow>(
    `update batches b set state = 'cancelling', cancelling_at = now(),
       seen_at = case when state = 'validating' then seen_at end
     where id = $1 and state in ('validating', 'in_progress') returning ${BATCH_COLUMNS}`,
    [id],
  );
  return rows[0];
}
