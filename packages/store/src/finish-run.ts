import type { Pool } from './connect.js';
import { forgetTexts } from './forget-texts.js';
import type { Retention } from './schema.js';

/**
 * Ends a run whose rows all have their outcomes. What is not retained of its texts goes first: a process that is killed
 * in between leaves a run that is not done yet, and somebody will end it.
 */
export async function finishRun(pool: Pool, runId: number): Promise<void> {
  const { rows } = await pool.query<{ retain: Retention }>(
    `select retain from runs where id = $1 and state in ('submitting', 'scoring')`,
    [runId],
  );
  const [run] = rows;
  if (run === undefined) return;
  await forgetTexts(pool, runId, run.retain);
  await pool.query(
    `update runs set state = 'done', finished_at = now() where id = $1 and state in ('submitting', 'scoring')`,
    [runId],
  );
}

/** Runs of a guard that nobody waits for and that have no parcel left: they are done, or need parcels of other runs. */
export async function settledRuns(pool: Pool, guardId: number): Promise<number[]> {
  const { rows } = await pool.query<{ id: number }>(
    `select id from runs
     where guard_id = $1 and state = 'scoring' and seen_at is null
       and not exists (select from parcels where parcels.run_id = runs.id and parcels.state = 'waiting')
     order by id`,
    [guardId],
  );
  return rows.map((row) => row.id);
}
