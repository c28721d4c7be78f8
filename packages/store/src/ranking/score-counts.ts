import type { Pool } from '@tocsin/postgres';

/**
 * How many rows of a run, as it is ranked, have a score at or above each threshold. From the chunks' ends, and the rows
 * of the one chunk that a threshold falls into.
 */
export async function countAtLeast(
  pool: Pool,
  runId: number,
  thresholds: readonly number[],
): Promise<number[]> {
  // SQL: the arrays of chunks are unnested, and only those chunks that matter are read.
  const { rows } = await pool.query<{ rows: number }>(
    `select (
       select coalesce(sum(case when bottom_score >= threshold then c.rows
                                else (select count(*) from unnest(c.scores) score where score >= threshold) end), 0)
       from ranking_chunks c where c.run_id = $1 and c.top_score >= threshold
     )::bigint as rows
     from unnest($2::real[]) with ordinality as asked (threshold, n) order by n`,
    [runId, thresholds],
  );
  return rows.map((row) => row.rows);
}

/**
 * The histogram of a run's scores, as it is ranked.
 * @param edges ascending; one more than there are bins
 * @returns rows of each bin: edges[i] <= score < edges[i + 1], and in the last one also its upper edge
 */
export async function countByScore(pool: Pool, runId: number, edges: readonly number[]): Promise<number[]> {
  const bins = edges.length - 1;
  if (bins < 1) throw new RangeError('a histogram has two edges at least');
  const { rows } = await pool.query<{ bin: number; rows: number }>(
    // A chunk whose ends fall into one bin is not looked into. width_bucket numbers bins from 1.
    `with chunks as (
       select rows, scores, width_bucket(top_score, $2::real[]) as top, width_bucket(bottom_score, $2::real[]) as bottom
       from ranking_chunks
       where run_id = $1 and bottom_score <= $3::real and top_score >= ($2::real[])[1]
     ), counted as (
       select top as bin, rows::bigint from chunks where top = bottom and top <= $4
       union all
       select width_bucket(score, $2::real[]), count(*)
       from chunks, unnest(scores) score where top <> bottom or top > $4 group by 1
     )
     select bin, sum(rows)::bigint as rows from counted where bin between 1 and $4 group by bin`,
    [runId, edges.slice(0, -1), edges.at(-1), bins],
  );
  const counts = new Array<number>(bins).fill(0);
  for (const { bin, rows: count } of rows) counts[bin - 1] = count;
  return counts;
}
