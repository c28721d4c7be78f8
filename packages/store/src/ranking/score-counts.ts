import type { Pool } from '@tocsin/postgres';
import { type RankedRow, rankedRows } from './ranked-rows.js';

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

/** What moving a threshold would do to a run, as it is ranked. */
export interface ThresholdPreview {
  /** Rows that are flagged before the move, and after it. */
  before: number;
  after: number;
  /** Rows whose flag it changes: all of them get it, or all of them lose it. */
  added: number;
  removed: number;
  /** Some of those rows: first those whose score is nearest to the new threshold. */
  examples: RankedRow[];
}

export async function previewThreshold(
  pool: Pool,
  runId: number,
  move: { from: number; to: number; examples: number },
): Promise<ThresholdPreview> {
  const { from, to } = move;
  const lower = to < from;
  const [[before = 0, after = 0], examples] = await Promise.all([
    countAtLeast(pool, runId, [from, to]),
    rankedRows(pool, runId, {
      order: lower ? 'score_asc' : 'score_desc',
      // The rows between the two: the lower one is flagged, the higher one is what they do not reach.
      min: Math.min(from, to),
      after: lower ? undefined : { score: to, seq: Number.MAX_SAFE_INTEGER },
      limit: move.examples,
    }),
  ]);
  return {
    before,
    after,
    added: Math.max(0, after - before),
    removed: Math.max(0, before - after),
    // Going up from the new threshold, the rows from the old one on were flagged before.
    examples: lower ? examples.filter(({ score }) => Math.fround(score) < Math.fround(from)) : examples,
  };
}
