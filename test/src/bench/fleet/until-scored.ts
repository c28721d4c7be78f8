import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@tocsin/postgres';

const LOOK_EVERY_MS = 50;

/** Waits until no parcel waits. */
export async function untilScored(pool: Pool): Promise<void> {
  while (await parcelsWait(pool)) await sleep(LOOK_EVERY_MS);
}

export async function parcelsWait(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query(`select from parcels where state = 'waiting' limit 1`);
  return rows.length > 0;
}
