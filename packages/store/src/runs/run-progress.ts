import { OPEN_RUN_STATES } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/** The progress of a run's parcels. */
export interface RunProgress {
  contents: number;
  contentsDone: number;
  tokens: number;
  tokensDone: number;
  parcelsWaiting: number;
}

export async function runProgress(pool: Pool, runId: number): Promise<RunProgress> {
  const { rows } = await pool.query<RunProgress>(
    `select coalesce(sum(contents), 0)::bigint as contents,
            coalesce(sum(contents) filter (where state = 'done'), 0)::bigint as "contentsDone",
            coalesce(sum(tokens), 0)::bigint as tokens,
            coalesce(sum(tokens) filter (where state = 'done'), 0)::bigint as "tokensDone",
            count(*) filter (where state = 'waiting') as "parcelsWaiting"
     from parcels where run_id = $1`,
    [runId],
  );
  const [progress] = rows;
  if (progress === undefined) throw new Error('an aggregate returned no row');
  return progress;
}

/**
 * Whether any item of a run has neither score nor error. Scans the items up to the first such one: call it when few can
 * be left.
 */
export async function hasUnresolvedItems(pool: Pool, runId: number): Promise<boolean> {
  // One look-up per item, whatever the planner's statistics: without statistics, a join compared every item with every
  // open score.
  const { rows } = await pool.query<{ found: boolean }>(
    `select exists (
       select
       from runs r join items i on i.run_id = r.id
       where r.id = $1
         and (select s.score is null and s.error is null from scores s
              where s.guard_id = r.guard_id and s.content = i.content)
     ) as found`,
    [runId],
  );
  return rows[0]?.found === true;
}

/** The states of open runs, in SQL: `where state in ${OPEN_STATES}`. */
export const OPEN_STATES = `(${OPEN_RUN_STATES.map((state) => `'${state}'`).join(', ')})`;
