import type { Pool } from './connect.js';
import type { RunState } from './schema.js';

/** A run's counters. rows = fresh + known + duplicates + rejected. */
export interface RunCounts {
  rows: number;
  /** Contents without a score when the run came to them: forward passes that it waits for. */
  fresh: number;
  known: number;
  duplicates: number;
  rejected: number;
}

/** The id of a guard's scores; the guard is registered if it was not. */
export async function registerGuard(pool: Pool, fingerprint: string, ref: string): Promise<number> {
  // The update that changes nothing is what makes `returning` give the row in both cases.
  const { rows } = await pool.query<{ id: number }>(
    `insert into guards (fingerprint, ref) values ($1, $2)
     on conflict (fingerprint) do update set fingerprint = excluded.fingerprint
     returning id`,
    [fingerprint, ref],
  );
  return idOf(rows);
}

/**
 * A new run, in state `submitting`. Some process waits for it, and says so with `attendRun` now and then; else it is
 * taken for abandoned.
 */
export async function createRun(pool: Pool, guardId: number, name: string): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    'insert into runs (guard_id, name, seen_at) values ($1, $2, now()) returning id',
    [guardId, name],
  );
  return idOf(rows);
}

/** Moves a run on; a run that is done or cancelled stays so. */
export async function setRunState(pool: Pool, runId: number, state: RunState): Promise<void> {
  await pool.query(
    `update runs
     set state = $2, finished_at = case when $2 in ('done', 'cancelled') then now() else finished_at end
     where id = $1 and state in ('submitting', 'scoring')`,
    [runId, state],
  );
}

export async function runCounts(pool: Pool, runId: number): Promise<RunCounts> {
  const { rows } = await pool.query<RunCounts>(
    'select rows, fresh, known, duplicates, rejected from runs where id = $1',
    [runId],
  );
  const [counts] = rows;
  if (counts === undefined) throw new Error(`there is no run ${runId}`);
  return counts;
}

function idOf(rows: { id: number }[]): number {
  const [row] = rows;
  if (row === undefined) throw new Error('the insert returned no id');
  return row.id;
}
