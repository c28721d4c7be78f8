import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';

/** Two runs, key by key, as they are ranked: of rows that have a score. A key that repeats has its highest one. */
export interface RunComparison {
  /** Keys that both runs have. */
  both: number;
  /** Of these: flagged now, and not before. */
  flippedUp: number;
  flippedDown: number;
  /** Keys that only this run has, or only the one before. */
  newKeys: number;
  goneKeys: number;
  /** Keys whose flag is another, those first whose score has moved most. */
  examples: ComparedKey[];
}

export interface ComparedKey {
  key: string;
  /** The first row that has it, in this run. */
  seq: number;
  before: number;
  now: number;
}

/**
 * Compares a run with another. Every row of both is looked at: of a million, that takes seconds.
 * @param runs two that have been ranked, of guards that may differ
 */
export function compareRuns(
  pool: Pool,
  runs: { now: number; before: number },
  { threshold, examples }: { threshold: number; examples: number },
): Promise<RunComparison> {
  return inTransaction(pool, async (client) => {
    await client.query(`set local work_mem = '64MB'`);
    const { rows } = await client.query<RunComparison>(COMPARE, [runs.now, runs.before, threshold, examples]);
    const [comparison] = rows;
    if (comparison === undefined) throw new Error('an aggregate returned no row');
    return comparison;
  });
}

const keysOf = (run: string): string => `
  select i.key, min(i.seq) as seq, max(ranked.score) as score
  from ranking_chunks c
  cross join unnest(c.seqs, c.scores) as ranked (seq, score)
  join items i on i.run_id = ${run} and i.seq = ranked.seq
  where c.run_id = ${run}
  group by i.key`;

const COMPARE = `
  with pairs as (
    select coalesce(n.key, b.key) as key, n.seq, b.score as before, n.score as now,
           n.score >= $3::real and b.score < $3::real as up, n.score < $3::real and b.score >= $3::real as down
    from (${keysOf('$1')}) n full join (${keysOf('$2')}) b on b.key = n.key
  ), examples as (
    select key, seq, before, now from pairs where up or down
    order by abs(now - before) desc, seq limit $4
  )
  select count(*) filter (where before is not null and now is not null) as both,
         count(*) filter (where up) as "flippedUp", count(*) filter (where down) as "flippedDown",
         count(*) filter (where before is null) as "newKeys", count(*) filter (where now is null) as "goneKeys",
         (select coalesce(json_agg(json_build_object('key', key, 'seq', seq, 'before', before, 'now', now)
                                   order by abs(now - before) desc, seq), '[]') from examples) as examples
  from pairs`;
