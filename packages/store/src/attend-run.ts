import type { Pool } from './connect.js';

/** A run that nobody has attended for so long is abandoned: its process was killed. Several times what attending takes. */
export const ABANDONED_AFTER_SECONDS = 30;

/** Says that somebody waits for a run. */
export async function attendRun(pool: Pool, runId: number): Promise<void> {
  await pool.query('update runs set seen_at = now() where id = $1', [runId]);
}

/**
 * Cancels the runs whose process is gone, so that their parcels keep no worker from the work that somebody waits for.
 * As with every cancelled run, a later one that needs their contents takes the parcels up again. Attend your own first.
 * @returns the runs that were cancelled
 */
export async function cancelAbandonedRuns(pool: Pool): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `with abandoned as (
       update runs set state = 'cancelled', finished_at = now()
       where state in ('submitting', 'scoring') and seen_at < now() - make_interval(secs => $1)
       returning id
     ), left_over as (
       update parcels set state = 'cancelled'
       from abandoned
       where parcels.run_id = abandoned.id and parcels.state = 'waiting'
     )
     select id from abandoned`,
    [ABANDONED_AFTER_SECONDS],
  );
  return rows.map((row) => row.id);
}
