import { isUserError, type Retention, type RunState } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import { forgetTexts } from '../items/forget-texts.js';
import { rankRun } from '../ranking/ranking.js';
import { hasUnresolvedItems, OPEN_STATES } from './run-progress.js';

/**
 * Ends a run whose rows all have outcomes: `done`, or `failed` when no row has a score.
 * From its first statement on the run needs no heartbeats: if this process dies, a worker finishes the run. Texts that are not
 * retained are deleted before it ends.
 * @returns its new state
 */
export async function finishRun(pool: Pool, runId: number): Promise<RunState | undefined> {
  const { rows } = await pool.query<{ retain: Retention }>(
    `update runs set state = 'scoring', seen_at = null
     where id = $1 and state in ${OPEN_STATES} returning retain`,
    [runId],
  );
  const [run] = rows;
  if (run !== undefined) {
    await forgetTexts(pool, runId, run.retain);
    await pool.query(END, [runId]);
    // Otherwise listing runs would have to count its rows.
    await rankRun(pool, runId).catch((error: unknown) => {
      // It was deleted meanwhile.
      if (!isUserError(error)) throw error;
    });
  }
  const { rows: ended } = await pool.query<{ state: RunState }>('select state from runs where id = $1', [
    runId,
  ]);
  return ended[0]?.state;
}

/**
 * Finishes an open run whose rows are all stored and have outcomes.
 * @returns false when it has ended, or some row has no outcome
 */
export async function finishIfComplete(pool: Pool, runId: number): Promise<boolean> {
  // Checked first, because it is cheap: with pending parcels the rows need not be scanned.
  const { rowCount } = await pool.query(
    `select from runs
     where id = $1 and state = 'scoring'
       and not exists (select from parcels where run_id = $1 and parcels.state = 'waiting')`,
    [runId],
  );
  if (rowCount === 0 || (await hasUnresolvedItems(pool, runId))) return false;
  await finishRun(pool, runId);
  return true;
}

/**
 * An empty corpus is done: it has no row without a score. `reason` is set when the corpus is incomplete (`retryRun`).
 */
const END = `
  with run as (
    select r.id, r.rows, r.reason,
           r.rows > 0 and not exists (
             select from items i
             where i.run_id = r.id
               -- One look-up a row, whatever the planner thinks of the size of the tables.
               and (select s.score is not null from scores s where s.guard_id = r.guard_id and s.content = i.content)
           ) as unscored
    from runs r where r.id = $1
  )
  update runs
  set state = case when run.unscored or run.reason is not null then 'failed' else 'done' end,
      reason = coalesce(run.reason, case when run.unscored then (
        select format('no row has a score (rows: %s). The first: %s', run.rows, coalesce(i.reject, s.error))
        from items i
        left join lateral (select error from scores
                           where guard_id = runs.guard_id and content = i.content limit 1) s on true
        where i.run_id = run.id order by i.seq limit 1
      ) end),
      finished_at = now()
  from run
  where runs.id = run.id and runs.state in ${OPEN_STATES}`;

/** Unattended runs of a guard without pending parcels: they are done, or need parcels of other runs. */
export async function settledRuns(pool: Pool, guardId: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `select id from runs
     where guard_id = $1 and state = 'scoring' and seen_at is null
       and not exists (select from parcels where parcels.run_id = runs.id and parcels.state = 'waiting')
     order by id`,
    [guardId],
  );
  return rows.map((row) => row.id);
}

/**
 * Cancels an open run and its pending parcels; a run whose rows all have outcomes is finished instead. The parcels keep their
 * content, so that a later run can claim them. The run's texts are deleted unless all are retained.
 * @returns false when the run had ended
 */
export function cancelRun(pool: Pool, runId: number): Promise<boolean> {
  return stopRun(pool, runId, 'cancelled', null);
}

/**
 * Fails an open run, otherwise like `cancelRun`, with a reason shown to users.
 * @param reason what failed and what to do about it; may have several lines
 * @returns false when the run had ended
 */
export function failRun(pool: Pool, runId: number, reason: string): Promise<boolean> {
  return stopRun(pool, runId, 'failed', storable(reason));
}

async function stopRun(
  pool: Pool,
  runId: number,
  state: 'cancelled' | 'failed',
  reason: string | null,
): Promise<boolean> {
  if (await finishIfComplete(pool, runId)) return false;
  const stopped = await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ retain: string }>(
      `update runs set state = $2, reason = $3, finished_at = now()
       where id = $1 and state in ${OPEN_STATES} returning retain`,
      [runId, state, reason],
    );
    await client.query(`update parcels set state = 'cancelled' where run_id = $1 and state = 'waiting'`, [
      runId,
    ]);
    return rows[0];
  });
  if (stopped === undefined) return false;
  if (stopped.retain !== 'all') await forgetTexts(pool, runId, 'none');
  return true;
}

const LONGEST_REASON = 10_000;

/** Postgres stores no NUL. */
const storable = (reason: string): string => reason.replaceAll('\0', '\ufffd').slice(0, LONGEST_REASON);
