import type { Pool } from '@tocsin/postgres';
import { type RankedRow, rankedRows } from './ranked-rows.js';

/**
 * The number of a ranked run's rows at or above each threshold. Reads the chunks' bounds, and the rows of the one chunk
 * that contains the threshold.
 */
export async function countAtLeast(
  pool: Pool,
  runId: number,
  thresholds: readonly number[],
): Promise<number[]> {
  // SQL: expands the arrays of the relevant chunks only.
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
 * The histogram of a ranked run's scores.
 * @param edges ascending; one more than there are bins
 * @returns rows per bin: edges[i] <= score < edges[i + 1]; the last bin includes its upper edge
 */
export async function countByScore(pool: Pool, runId: number, edges: readonly number[]): Promise<number[]> {
  const bins = edges.length - 1;
  if (bins < 1) throw new RangeError('a histogram has two edges at least');
  const { rows } = await pool.query<{ bin: number; rows: number }>(
    // A chunk within one bin is not unnested. width_bucket numbers bins from 1.
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

/** The effect of a changed threshold on a ranked run. */
export interface ThresholdPreview {
  /** Rows flagged before and after the change. */
  before: number;
  after: number;
  /** Rows whose flag changes, all in the same direction. */
  added: number;
  removed: number;
  /** Some of those rows, nearest to the new threshold first. */
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
      // The rows between both: the lower bound is included, the upper one is not.
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
    // Upwards from the new threshold, rows from the old one on were already flagged.
    examples: lower ? examples.filter(({ score }) => Math.fround(score) < Math.fround(from)) : examples,
  };
}
