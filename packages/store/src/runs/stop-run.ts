import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { forgetTexts } from '../items/forget-texts.js';
import { finishIfComplete } from './finish-run.js';
import { OPEN_STATES } from './open-states.js';

/**
 * Cancels an open run and its waiting parcels; one whose rows all have their outcomes is finished instead. The parcels keep what they hold: a later run that needs their contents
 * resumes them. The run's texts are deleted unless all were to be retained.
 * @returns false when the run was over
 */
export function cancelRun(pool: Pool, runId: number): Promise<boolean> {
  return stopRun(pool, runId, 'cancelled', null);
}

/**
 * Ends an open run that cannot be completed, as `cancelRun` does, and keeps the reason, which is shown with the run.
 * @param reason what failed and what to do about it, for people; may have several lines
 * @returns false when the run was over
 */
export function failRun(pool: Pool, runId: number, reason: string): Promise<boolean> {
  return stopRun(pool, runId, 'failed', storable(reason));
}

async function stopRun(
  pool: Pool,
  runId: number,
  state: 'cancelled' | 'failed',
  reason: string | null,
): Promise<boolean> {
  if (await finishIfComplete(pool, runId)) return false;
  const stopped = await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ retain: string }>(
      `update runs set state = $2, reason = $3, finished_at = now()
       where id = $1 and state in ${OPEN_STATES} returning retain`,
      [runId, state, reason],
    );
    await client.query(`update parcels set state = 'cancelled' where run_id = $1 and state = 'waiting'`, [
      runId,
    ]);
    return rows[0];
  });
  if (stopped === undefined) return false;
  if (stopped.retain !== 'all') await forgetTexts(pool, runId, 'none');
  return true;
}

const LONGEST_REASON = 10_000;

/** Postgres stores no NUL. */
const storable = (reason: string): string => reason.replaceAll('\0', '\ufffd').slice(0, LONGEST_REASON);
