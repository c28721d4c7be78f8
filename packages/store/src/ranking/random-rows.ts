import type { Pool } from '@tocsin/postgres';
import { CHUNK_ROWS } from './build-ranking.js';
import type { RankedRow } from './ranked-rows.js';

/**
 * Rows of a run, as it is ranked, drawn at random: each is as likely as every other, and none comes twice.
 * @param draw.among of so many with the highest scores
 * @returns fewer than `count` only when there are fewer
 */
export function randomRows(
  pool: Pool,
  runId: number,
  draw: { among: number; count: number },
): Promise<RankedRow[]> {
  return rowsAt(pool, runId, drawPlaces(draw.among, Math.min(draw.count, draw.among)));
}

/** Rows by their places in the ranking, from 0; in the order of `places`. */
async function rowsAt(pool: Pool, runId: number, places: number[]): Promise<RankedRow[]> {
  // SQL: the arrays of chunks are unnested, and only those chunks that matter are read.
  const { rows } = await pool.query<RankedRow>(
    `select c.seqs[place % $3 + 1]::bigint as seq, c.scores[place % $3 + 1] as score
     from unnest($2::bigint[]) with ordinality as asked (place, n)
     join ranking_chunks c on c.run_id = $1 and c.chunk = place / $3
     order by n`,
    [runId, places, CHUNK_ROWS],
  );
  return rows;
}

/** Floyd's way: as many draws as there are places to be drawn, whatever their share. */
function drawPlaces(of: number, count: number): number[] {
  const drawn = new Set<number>();
  for (let last = of - count; last < of; last++) {
    const place = Math.floor(Math.random() * (last + 1));
    drawn.add(drawn.has(place) ? last : place);
  }
  return [...drawn];
}
