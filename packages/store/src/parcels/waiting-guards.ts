import type { Pool } from '@tocsin/postgres';

/** Parcels that wait for a guard. */
export interface WaitingGuard {
  guardId: number;
  ref: string;
  fingerprint: string;
  parcels: number;
}

/** The guards that parcels wait for, those with the most first. */
export async function waitingGuards(pool: Pool): Promise<WaitingGuard[]> {
  // SQL: a count for each guard over the range of an index, and not a join of all parcels.
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
