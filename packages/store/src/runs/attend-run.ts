import type { Pool } from '@tocsin/postgres';
import { type EndedRun, runHasEnded } from '../parcels/submit-window.js';
import { finishIfComplete } from './finish-run.js';
import { OPEN_STATES } from './run-progress.js';

/** A run without a heartbeat for this long is abandoned: its process was killed. Several heartbeat intervals. */
export const ABANDONED_AFTER_SECONDS = 30;

/**
 * Sends a heartbeat for a run. A run that was left to the workers stays so, because a late heartbeat may follow.
 * @throws UserError when it was cancelled, or has failed
 */
export async function attendRun(pool: Pool, runId: number): Promise<void> {
  // SQL: these conditions decide about abandonment with microsecond precision.
  const { rowCount } = await pool.query(
    `update runs set seen_at = case when seen_at is null then null else now() end
     where id = $1 and state in ${OPEN_STATES}`,
    [runId],
  );
  if (rowCount === 0) await requireDone(pool, runId);
}

/**
 * Leaves a completely submitted run to the workers.
 * @throws UserError when it was cancelled, or has failed
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

/** A run without a recent heartbeat. */
export interface UnattendedRun {
  id: number;
  /** Its last heartbeat, to the microsecond. */
  seenAt: string;
}

/** Runs that a process should attend, without a heartbeat for 30 s. */
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
 * Cancels the runs of dead processes, so that their parcels do not delay other work. As with every cancelled run, a later one
 * can claim the parcels. A run whose rows all have outcomes is finished instead.
 * @param unattended as seen some seconds ago. Runs with a heartbeat since then are kept: after a suspend or an outage of
 * Postgres all runs look abandoned at first.
 * @returns the cancelled runs
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
  // Locks runs before their parcels, as cancelling does. A run that was attended meanwhile has another seen_at and stays.
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
