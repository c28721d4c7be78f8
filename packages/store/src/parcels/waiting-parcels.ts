import { LANES, type LaneName } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/**
 * The oldest pending parcels of a guard's runs, for the reconciler to enqueue. They are processed in this order, so a
 * lost one soon becomes one of the oldest.
 */
export async function waitingParcels(pool: Pool, guardId: number, limit: number): Promise<number[]> {
  // SQL: a range scan of the index on guard, state and id, which the tests verify.
  const { rows } = await pool.query<{ id: number }>(
    `select id from parcels where guard_id = $1 and state = 'waiting' and run_id is not null order by id limit $2`,
    [guardId, limit],
  );
  return rows.map((row) => row.id);
}

/**
 * Claims cancelled parcels with contents that a run waits for: another run had claimed them, and was cancelled since.
 * @returns the parcels to be enqueued
 */
export async function adoptParcels(pool: Pick<Pool, 'query'>, runId: number): Promise<number[]> {
  // Scans the items one by one (see hasUnresolvedItems) only when there is any cancelled parcel.
  const { rows } = await pool.query<{ id: number }>(
    `update parcels set state = 'waiting', run_id = $1
     where state = 'cancelled' and id in (
       select (select s.parcel_id from scores s
               where s.guard_id = r.guard_id and s.content = i.content and s.score is null and s.error is null)
       from runs r join items i on i.run_id = r.id
       where r.id = $1
         and exists (select from parcels p join runs mine on mine.guard_id = p.guard_id
                     where mine.id = $1 and p.state = 'cancelled')
     )
     returning id`,
    [runId],
  );
  return rows.map((row) => row.id);
}

/** Pending work of a guard, of runs or interactive. */
export interface WaitingClass {
  lane: LaneName;
  parcels: number;
  tokens: number;
  /** Age of the oldest; 0 without any. */
  oldestSeconds: number;
}

/** A guard's pending work by class, from the store: the queue may have lost some of it. */
export async function waitingByClass(pool: Pool, guardId: number): Promise<WaitingClass[]> {
  // SQL: one pass over an index range, with aggregates.
  const { rows } = await pool.query<{ express: boolean; parcels: number; tokens: number; oldest: number }>(
    `select run_id is null as express, count(*) as parcels, sum(tokens)::bigint as tokens,
            extract(epoch from now() - min(created_at))::float8 as oldest
     from parcels where guard_id = $1 and state = 'waiting' group by 1`,
    [guardId],
  );
  return LANES.map((lane) => {
    const row = rows.find(({ express }) => express === (lane === 'express'));
    return {
      lane,
      parcels: row?.parcels ?? 0,
      tokens: row?.tokens ?? 0,
      oldestSeconds: row?.oldest ?? 0,
    };
  });
}

/** Pending parcels of a guard. */
export interface WaitingGuard {
  guardId: number;
  ref: string;
  fingerprint: string;
  parcels: number;
}

/** Guards with pending parcels, those with the most first. */
export async function waitingGuards(pool: Pool): Promise<WaitingGuard[]> {
  // SQL: a count per guard over an index range, instead of a join of all parcels.
  const { rows } = await pool.query<WaitingGuard>(
    `select g.id as "guardId", g.ref, g.fingerprint, p.parcels
     from guards g
     cross join lateral (select count(*) as parcels from parcels
                         where guard_id = g.id and state = 'waiting') p
     where p.parcels > 0
     order by p.parcels desc`,
  );
  return rows;
}
