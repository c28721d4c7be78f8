import type { Pool } from '@tocsin/postgres';

/** A guard that this database has scores of, or is waiting for. */
export interface GuardRow {
  id: number;
  fingerprint: string;
  /** As it was asked for the first time. */
  ref: string;
  createdAt: Date;
  /** Runs of it that there are now. */
  runs: number;
  /** Parcels that wait for a worker of it. */
  waitingParcels: number;
}

/** Guards, the newest first. */
export async function listGuards(pool: Pool): Promise<GuardRow[]> {
  const { rows } = await pool.query<GuardRow>(
    `select g.id, g.fingerprint, g.ref, g.created_at as "createdAt",
            (select count(*) from runs r where r.guard_id = g.id) as runs,
            (select count(*) from parcels p where p.guard_id = g.id and p.state = 'waiting') as "waitingParcels"
     from guards g order by g.id desc`,
  );
  return rows;
}
