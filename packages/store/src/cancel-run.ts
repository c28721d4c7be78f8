import type { Pool } from './connect.js';
import { forgetTexts } from './forget-texts.js';
import { inTransaction } from './transaction.js';

/**
 * Cancels a run that is not over, and its waiting parcels with it. They keep what they hold: a later run that needs
 * their contents takes them up again. Its texts go, unless all were to be retained.
 * @returns false when the run was over
 */
export async function cancelRun(pool: Pool, runId: number): Promise<boolean> {
  const cancelled = await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ retain: string }>(
      `update runs set state = 'cancelled', finished_at = now()
       where id = $1 and state in ('submitting', 'scoring') returning retain`,
      [runId],
    );
    await client.query(`update parcels set state = 'cancelled' where run_id = $1 and state = 'waiting'`, [
      runId,
    ]);
    return rows[0];
  });
  if (cancelled === undefined) return false;
  if (cancelled.retain !== 'all') await forgetTexts(pool, runId, 'none');
  return true;
}
