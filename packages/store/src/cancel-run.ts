import type { Pool } from './connect.js';
import { inTransaction } from './transaction.js';

/**
 * Cancels a run that is not done, and its waiting parcels with it. They keep what they hold: a later run that needs
 * their contents takes them up again.
 */
export function cancelRun(pool: Pool, runId: number): Promise<void> {
  return inTransaction(pool, async (client) => {
    await client.query(
      `update runs set state = 'cancelled', finished_at = now() where id = $1 and state in ('submitting', 'scoring')`,
      [runId],
    );
    await client.query(`update parcels set state = 'cancelled' where run_id = $1 and state = 'waiting'`, [
      runId,
    ]);
  });
}
