import type { Pool } from './connect.js';
import { noSuchRun } from './retry-run.js';
import { ROW_COUNTS, type RowCounts } from './row-counts.js';
import { RUN_FACTS, type RunFacts } from './run-facts.js';

/** A run, and what has become of its rows so far. rows = scored + failed + rejected + left. */
export interface RunRow extends RunFacts, Omit<RowCounts, 'flagged'> {
  /** When the process that waits for it was last heard of; null when nobody has to wait for it. */
  seenAt: Date | null;
  /** Rows that wait for their score. */
  left: number;
  /** Rows with score >= threshold; null when the run has no threshold. */
  flagged: number | null;
}

export interface ListRunsOptions {
  /** The newest so many. */
  limit: number;
}

/** The newest runs, newest first. */
export function listRuns(pool: Pool, { limit }: ListRunsOptions): Promise<RunRow[]> {
  return select(pool, 'order by id desc limit $1', limit);
}

/** @throws UserError when there is no such run */
export async function getRun(pool: Pool, runId: number): Promise<RunRow> {
  const [run] = await select(pool, 'where id = $1', runId);
  if (run === undefined) throw noSuchRun(runId);
  return run;
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

async function select(pool: Pool, which: string, value: number): Promise<RunRow[]> {
  const { rows } = await pool.query<RunRow>(
    `select ${RUN_FACTS}, r.seen_at as "seenAt",
            c.scored, c.failed, r.rows - r.rejected - c.scored - c.failed as left,
            case when r.threshold is not null then c.flagged end as flagged
     from (select * from runs ${which}) r
     join guards g on g.id = r.guard_id
     cross join lateral (${ROW_COUNTS}) c
     order by r.id desc`,
    [value],
  );
  return rows;
}

/** A row without a score, and why. */
export interface ProblemRow {
  seq: number;
  key: string;
  /** It could not be read; else it could not be scored. */
  unreadable: boolean;
  reason: string;
}

/** Rows of a run that could not be read or scored: the first so many after a row. */
export async function problemRows(
  pool: Pool,
  runId: number,
  limit: number,
  after = 0,
): Promise<ProblemRow[]> {
  const { rows } = await pool.query<ProblemRow>(
    `select i.seq, i.key, i.reject is not null as unreadable, coalesce(i.reject, s.error) as reason
     from runs r join items i on i.run_id = r.id
     left join lateral (select error from scores
                        where guard_id = r.guard_id and content = i.content limit 1) s on true
     where r.id = $1 and i.seq > $3 and (i.reject is not null or s.error is not null)
     order by i.seq
     limit $2`,
    [runId, limit, after],
  );
  return rows;
}
