import { LANES, type LaneName } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/** What waits of a guard, in runs or by itself. */
export interface WaitingClass {
  lane: LaneName;
  parcels: number;
  tokens: number;
  /** Age of the oldest; 0 when there is none. */
  oldestSeconds: number;
}

/** How much of a guard's work waits or is under way, by class. The truth: the queue may have lost some of it. */
export async function waitingByClass(pool: Pool, guardId: number): Promise<WaitingClass[]> {
  // SQL: one pass over the range of an index, with aggregates.
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
