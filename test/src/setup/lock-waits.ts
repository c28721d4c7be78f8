import type { Pool } from '@tocsin/postgres';
import { until } from './processes.js';

/** Waits until a statement in the pool's database waits for a lock, of a table or of a row. */
export async function untilLockIsAwaited(pool: Pool): Promise<void> {
  await until(async () => {
    const { rowCount } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rowCount === 0 ? undefined : true;
  });
}
