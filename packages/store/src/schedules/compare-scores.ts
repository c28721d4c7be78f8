import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import type pg from 'pg';

/**
 * The run that a schedule's run is compared with: the last one before it that came to its end and whose rows are still
 * there.
 */
export async function runBefore(pool: Pool, scheduleId: number, runId: number): Promise<number | undefined> {
  const { rows } = await pool.query<{ id: number }>(
    `select r.id from firings f join runs r on r.id = f.run_id
     where f.schedule_id = $1 and f.state = 'done' and r.id < $2
       and exists (select from items where items.run_id = r.id)
     order by r.id desc limit 1`,
    [scheduleId, runId],
  );
  return rows[0]?.id;
}

/** Contents that a run has flagged and that no row of the run before it had: how many. */
export async function newFlagged(pool: Pool, runId: number, before: number | undefined): Promise<number> {
  const { rows } = await pool.query<{ contents: number }>(
    `select count(*) as contents
     from (select distinct i.content
           from runs r join items i on i.run_id = r.id
           join lateral (select score from scores
                         where guard_id = r.guard_id and content = i.content limit 1) s on true
           where r.id = $1 and s.score >= r.threshold) flagged
     where not exists (select from items old where old.run_id = $2 and old.content = flagged.content)`,
    [runId, before ?? null],
  );
  return rows[0]?.contents ?? 0;
}

/** How many rows of two runs have a score. */
export interface ScoreCount {
  score: number;
  before: number;
  now: number;
}

const FETCH_ROWS = 10_000;

/**
 * Every score that a row of either run has, ascending, with the number of rows; a page at a time. Memory does not grow
 * with the runs.
 * @param before undefined for none: its counts are 0
 */
export async function eachScore(
  pool: Pool,
  { now, before }: { now: number; before: number | undefined },
  take: (page: ScoreCount[]) => void,
): Promise<void> {
  await inTransaction(pool, async (client: pg.PoolClient) => {
    await client.query(
      `declare score_counts no scroll cursor for
       select s.score, count(*) filter (where r.id is distinct from $1::bigint) as before,
              count(*) filter (where r.id = $1::bigint) as now
       from runs r join items i on i.run_id = r.id
       join lateral (select score from scores
                     where guard_id = r.guard_id and content = i.content limit 1) s on true
       where r.id in ($1::bigint, $2::bigint) and s.score is not null
       group by s.score order by s.score`,
      [now, before ?? null],
    );
    for (;;) {
      const { rows } = await client.query<ScoreCount>(`fetch ${FETCH_ROWS} from score_counts`);
      if (rows.length === 0) return;
      take(rows);
    }
  });
}
