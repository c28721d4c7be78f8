import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';

/** Two ranked runs joined by key, for rows with a score. A duplicate key counts with its highest score. */
export interface RunComparison {
  /** Keys in both runs. */
  both: number;
  /** Of these: newly flagged. */
  flippedUp: number;
  flippedDown: number;
  /** Keys only in this run, or only in the other one. */
  newKeys: number;
  goneKeys: number;
  /** Keys whose flag changed, largest score change first. */
  examples: ComparedKey[];
}

export interface ComparedKey {
  key: string;
  /** The first row with the key, in this run. */
  seq: number;
  before: number;
  now: number;
}

/**
 * Compares a run with another. Reads every row of both: a million take seconds.
 * @param runs two ranked runs, possibly of different guards
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

/** One pass over both rankings, with counts and examples from the same join. Items are read by their key (run, seq). */
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
