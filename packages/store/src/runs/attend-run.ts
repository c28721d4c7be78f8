import type { Pool } from '@tocsin/postgres';
import { type EndedRun, runHasEnded } from '../parcels/submit-window.js';
import { finishIfComplete } from './finish-run.js';
import { OPEN_STATES } from './run-progress.js';

/** A run that nobody has attended for so long is abandoned: its process was killed. Several times what attending takes. */
export const ABANDONED_AFTER_SECONDS = 30;

/**
 * Says that somebody waits for a run. One that was left to the workers stays so: what attends it may be a moment behind
 * what leaves it.
 * @throws UserError when it was cancelled, or it has failed
 */
export async function attendRun(pool: Pool, runId: number): Promise<void> {
  // SQL: the rules of who may be taken for abandoned are in these conditions, to the microsecond.
  const { rowCount } = await pool.query(
    `update runs set seen_at = case when seen_at is null then null else now() end
     where id = $1 and state in ${OPEN_STATES}`,
    [runId],
  );
  if (rowCount === 0) await requireDone(pool, runId);
}

/**
 * The corpus is in the store, whole, and nobody waits for its run: whichever workers there are bring it to its end.
 * @throws UserError when it was cancelled, or it has failed
 */
export async function leaveRun(pool: Pool, runId: number): Promise<void> {
  const { rowCount } = await pool.query(
    `update runs set state = 'scoring', seen_at = null, submitted_at = coalesce(submitted_at, now())
     where id = $1 and state in ${OPEN_STATES}`,
    [runId],
  );
  if (rowCount === 0) await requireDone(pool, runId);
}

async function requireDone(pool: Pool, runId: number): Promise<void> {
  const { rows } = await pool.query<EndedRun>('select state, reason from runs where id = $1', [runId]);
  if (rows[0]?.state !== 'done') throw runHasEnded(runId, rows[0]);
}

/** A run that was not attended for a while. */
export interface UnattendedRun {
  id: number;
  /** When it was last attended, to the microsecond. */
  seenAt: string;
}

/** The runs that somebody should be waiting for and nobody has attended for 30 s. */
export async function unattendedRuns(pool: Pool): Promise<UnattendedRun[]> {
  const { rows } = await pool.query<UnattendedRun>(
    `select id, seen_at::text as "seenAt" from runs
     where state in ${OPEN_STATES} and seen_at < now() - make_interval(secs => $1)`,
    [ABANDONED_AFTER_SECONDS],
  );
  return rows;
}

const GONE = 'The command that submitted it is gone: it was killed, or its machine was.';

/**
 * Cancels runs whose process is gone, so that their parcels keep no worker from the work that somebody waits for.
 * As with every cancelled run, a later one that needs their contents takes the parcels up again. A run whose rows all have
 * their outcomes is finished: its process had only to say so.
 *
 * @param unattended as they were some seconds ago. One that has been attended since is not cancelled: when a machine
 * wakes up or Postgres comes back, every run looks abandoned to whoever is the first to ask.
 * @returns the runs that were cancelled
 */
export async function cancelAbandonedRuns(
  pool: Pool,
  unattended: readonly UnattendedRun[],
): Promise<number[]> {
  if (unattended.length === 0) return [];
  for (const { id, seenAt } of unattended) {
    const { rowCount } = await pool.query(
      `select from runs where id = $1 and seen_at = $2::timestamptz and state = 'scoring'`,
      [id, seenAt],
    );
    if (rowCount === 1) await finishIfComplete(pool, id);
  }
  const { rows } = await pool.query<{ id: number }>(
    `with abandoned as (
       update runs set state = 'cancelled', reason = $3, finished_at = now()
       from unnest($1::bigint[], $2::timestamptz[]) as unattended (id, seen_at)
       where runs.id = unattended.id and runs.seen_at = unattended.seen_at
         and runs.state in ${OPEN_STATES}
       returning runs.id
     ), left_over as (
       update parcels set state = 'cancelled'
       from abandoned
       where parcels.run_id = abandoned.id and parcels.state = 'waiting'
     )
     select id from abandoned`,
    [unattended.map(({ id }) => id), unattended.map(({ seenAt }) => seenAt), GONE],
  );
  return rows.map((row) => row.id);
}
