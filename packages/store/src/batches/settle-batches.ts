import type { Pool } from '@tocsin/postgres';
import { OPEN_STATES } from '../runs/open-states.js';

/**
 * Moves batches on whose run is over, or whose time is up: they are to be finalized. Whoever works on one whose time is
 * up finds that out when it attends it.
 * @returns how many
 */
export async function settleBatches(pool: Pool): Promise<number> {
  const { rowCount } = await pool.query(
    `update batches b set state = 'finalizing', finalizing_at = now(),
       seen_at = case when b.state = 'validating' then b.seen_at end
     where (b.state in ('validating', 'in_progress') and b.expires_at < now())
        or (b.state = 'in_progress'
            and not exists (select from runs r where r.id = b.run_id and r.state in ${OPEN_STATES}))`,
  );
  return rowCount ?? 0;
}
