import type { Pool } from '@tocsin/postgres';
import { OPEN_STATES } from '../runs/open-states.js';

/** Nobody waits longer for an express parcel. */
export const EXPRESS_WAIT_SECONDS = 60;

/** Those of the parcels that are express parcels and still wait to be scored. */
export async function waitingExpress(pool: Pool, parcelIds: readonly number[]): Promise<number[]> {
  if (parcelIds.length === 0) return [];
  // SQL, like all statements of interactive parcels, because clients wait for them: the query builder adds 0.1 to 0.4 ms to a statement.
  const { rows } = await pool.query<{ id: number }>(
    `select id from parcels where id = any($1::bigint[]) and state = 'waiting' and run_id is null order by id`,
    [parcelIds],
  );
  return rows.map((row) => row.id);
}

/** Cancels express parcels that nobody waits for any more. As of a cancelled run's, a later run takes them up again. */
export async function cancelExpress(pool: Pool, parcelIds: readonly number[]): Promise<void> {
  if (parcelIds.length === 0) return;
  await pool.query(
    `update parcels set state = 'cancelled'
     where id = any($1::bigint[]) and state = 'waiting' and run_id is null`,
    [parcelIds],
  );
}

/**
 * Cancels a guard's express parcels that have waited longer than anybody waits: their asker was killed.
 * @returns how many
 */
export async function cancelAbandonedExpress(pool: Pool, guardId: number): Promise<number> {
  const { rowCount } = await pool.query(
    `update parcels set state = 'cancelled'
     where guard_id = $1 and state = 'waiting' and run_id is null
       and created_at < now() - make_interval(secs => $2)`,
    [guardId, EXPRESS_WAIT_SECONDS],
  );
  return rowCount ?? 0;
}

/** Nobody asks for a cancelled express parcel, or why one had an error, after so long. */
const EXPRESS_KEPT_SECONDS = 3600;

/**
 * Deletes a guard's express parcels that are over: there may be one for every call of an API, and those that were
 * cancelled or had errors still hold token ids. A content without a score is as if nobody had asked for it.
 * @returns how many
 */
export async function forgetExpress(pool: Pool, guardId: number): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from parcels
     where guard_id = $1 and run_id is null and state in ('done', 'cancelled')
       and created_at < now() - make_interval(secs => $2)`,
    [guardId, EXPRESS_KEPT_SECONDS],
  );
  return rowCount ?? 0;
}

/**
 * Deletes the express parcels of all guards that are over, or that nobody waits for any more, and are so old. Those of a
 * guard that has an open run stay: the run may wait for a content of theirs.
 * @returns how many
 */
export async function purgeExpress(pool: Pool, olderThanDays: number): Promise<number> {
  const { rowCount } = await pool.query(
    `delete from parcels p
     where run_id is null
       and created_at < now() - greatest($1 * interval '1 day', make_interval(secs => $2))
       and not exists (select from runs r
                       where r.guard_id = p.guard_id and r.state in ${OPEN_STATES})`,
    [olderThanDays, EXPRESS_WAIT_SECONDS],
  );
  return rowCount ?? 0;
}
