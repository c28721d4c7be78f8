import type { Pool } from './connect.js';

/**
 * The oldest parcels of a guard that wait to be scored: what a reconciler puts back into the queue. They are worked
 * off in this order, so one that was lost is among the oldest before long.
 */
export async function waitingParcels(pool: Pool, guardId: number, limit: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `select id from parcels where guard_id = $1 and state = 'waiting' order by id limit $2`,
    [guardId, limit],
  );
  return rows.map((row) => row.id);
}

/**
 * Takes up cancelled parcels that hold contents which a run waits for: another run had claimed them, and was
 * cancelled since.
 * @returns the parcels to be queued
 */
export async function adoptParcels(pool: Pool, runId: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `update parcels set state = 'waiting', run_id = $1
     where state = 'cancelled' and id in (
       select s.parcel_id
       from items i
       join runs r on r.id = i.run_id
       join scores s on s.guard_id = r.guard_id and s.content = i.content
       where i.run_id = $1 and s.score is null and s.error is null
     )
     returning id`,
    [runId],
  );
  return rows.map((row) => row.id);
}
