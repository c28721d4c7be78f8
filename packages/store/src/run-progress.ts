import type { Pool } from './connect.js';

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

/** Items of a run whose content has neither score nor error yet. Looks at every item: ask when little can be left. */
export async function unresolvedItems(pool: Pool, runId: number): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*) as count
     from items i
     join runs r on r.id = i.run_id
     join scores s on s.guard_id = r.guard_id and s.content = i.content
     where i.run_id = $1 and s.score is null and s.error is null`,
    [runId],
  );
  return rows[0]?.count ?? 0;
}
