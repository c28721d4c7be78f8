import { isUserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { rankRun } from '../ranking/index.js';
import { findRun, pageRuns, type RunSummary } from './page-runs.js';
import { noSuchRun } from './retry-run.js';
import type { RunFacts } from './run-facts.js';

/**
 * A run, and what has become of its rows. rows = scored + failed + rejected + left. Of an open run, the last four are some
 * seconds old.
 */
export interface RunRow extends RunFacts {
  /** Rows that have a score. */
  scored: number;
  /** Rows whose content ended in an error. */
  failed: number;
  /** Rows that wait for their score. */
  left: number;
  /** Rows with score >= threshold; null when the run has no threshold. */
  flagged: number | null;
}

export interface ListRunsOptions {
  /** The newest so many. */
  limit: number;
}

/** The newest runs, newest first. A run that is over is counted once, when it ends; one that is open at every call. */
export async function listRuns(pool: Pool, { limit }: ListRunsOptions): Promise<RunRow[]> {
  const before = await pageRuns(pool, { limit });
  const uncounted = before.filter(
    ({ ranked, finishedAt }) => ranked === null || finishedAt === null || ranked.asOf <= finishedAt,
  );
  for (const { id } of uncounted) {
    await rankRun(pool, id).catch((error: unknown) => {
      // It was deleted since it was found.
      if (!isUserError(error)) throw error;
    });
  }
  const runs = uncounted.length === 0 ? before : await pageRuns(pool, { limit });
  return runs.map(rowOf);
}

/** @throws UserError when there is no such run */
export async function getRun(pool: Pool, runId: number): Promise<RunRow> {
  await rankRun(pool, runId);
  const run = await findRun(pool, runId);
  if (run === undefined) throw noSuchRun(runId);
  return rowOf(run);
}

function rowOf({ ranked, ownerKey: _, guardId: __, ...run }: RunSummary): RunRow {
  const { scored = 0, failed = 0, flagged = null } = ranked ?? {};
  // The rows may have been counted later than their scores.
  return { ...run, scored, failed, flagged, left: Math.max(0, run.rows - run.rejected - scored - failed) };
}

export type RunHead = Pick<RunRow, 'state' | 'reason' | 'rows'>;

/**
 * What of a run can be asked often: its state, why it failed, and the rows that are in the store.
 * @throws UserError when there is no such run
 */
export async function runHead(pool: Pool, runId: number): Promise<RunHead> {
  const { rows } = await pool.query<RunHead>('select state, reason, rows from runs where id = $1', [runId]);
  const [run] = rows;
  if (run === undefined) throw noSuchRun(runId);
  return run;
}
