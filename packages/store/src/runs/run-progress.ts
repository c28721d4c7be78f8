import { OPEN_RUN_STATES } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/** How far the parcels of a run are. */
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
 * Whether some item of a run has neither score nor error yet. Looks at the items up to the first of that kind: ask when
 * little can be left.
 */
export async function hasUnresolvedItems(pool: Pool, runId: number): Promise<boolean> {
  // One look-up an item, whatever the planner thinks: on tables that it has no statistics of yet, it takes a join for
  // small and compares every item with every open score.
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

/** The states of runs that go on, in SQL: `where state in ${OPEN_STATES}`. */
export const OPEN_STATES = `(${OPEN_RUN_STATES.map((state) => `'${state}'`).join(', ')})`;
