import type { Pool } from '@tocsin/postgres';
import { CHUNK_ROWS } from './ranking.js';

/** A row of a ranking. */
export interface RankedRow {
  seq: number;
  score: number;
}

/** Highest score first, ties in corpus order; or exactly the reverse. */
export type ScoreOrder = 'score_desc' | 'score_asc';

export interface RankedPage {
  order: ScoreOrder;
  limit: number;
  /** Scores in [min, max]. */
  min?: number;
  max?: number;
  /** Rows after this position, which need not exist any more. */
  after?: RankedRow;
}

/** A page of a run's rows in ranking order. */
export async function rankedRows(pool: Pool, runId: number, page: RankedPage): Promise<RankedRow[]> {
  const down = page.order === 'score_desc';
  // SQL: expands the arrays of the relevant chunks only.
  const { rows } = await pool.query<RankedRow>(
    `select seq::bigint as seq, score
     from (
       select chunk, seqs, scores from ranking_chunks
       where run_id = $1 and bottom_score <= $2::real and top_score >= $3::real
         and ($4::real is null or ${down ? AFTER_DOWN('bottom_score', 'bottom_seq') : AFTER_UP('top_score', 'top_seq')})
       order by chunk ${down ? 'asc' : 'desc'} limit $7
     ) chunks, unnest(seqs, scores) as ranked (seq, score)
     where score <= $2::real and score >= $3::real
       and ($4::real is null or ${down ? AFTER_DOWN('score', 'seq') : AFTER_UP('score', 'seq')})
     order by ${down ? 'score desc, seq asc' : 'score asc, seq desc'} limit $6`,
    [
      runId,
      page.max ?? 1,
      page.min ?? 0,
      page.after?.score ?? null,
      page.after?.seq ?? null,
      page.limit,
      // The first chunk may contain only one matching row.
      Math.ceil(page.limit / CHUNK_ROWS) + 1,
    ],
  );
  return rows;
}

const AFTER_DOWN = (score: string, seq: string) =>
  `(${score} < $4::real or (${score} = $4::real and ${seq} > $5::bigint))`;
const AFTER_UP = (score: string, seq: string) =>
  `(${score} > $4::real or (${score} = $4::real and ${seq} < $5::bigint))`;

/** Some rows of a ranking, in order. */
export interface RankedChunk {
  seqs: number[];
  scores: number[];
}

const CHUNKS_AT_ONCE = 20;

/** All rows of a ranked run in score order, a few thousand at a time. */
export async function* eachRanked(pool: Pool, runId: number): AsyncGenerator<RankedChunk> {
  for (let after = -1; ; ) {
    // SQL: arrays of a thousand numbers, which need no mapping by column.
    const { rows } = await pool.query<RankedChunk & { chunk: number }>(
      'select chunk, seqs, scores from ranking_chunks where run_id = $1 and chunk > $2 order by chunk limit $3',
      [runId, after, CHUNKS_AT_ONCE],
    );
    for (const { seqs, scores } of rows) yield { seqs, scores };
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.chunk;
  }
}

/**
 * A uniform random sample of a ranked run's rows, without replacement.
 * @param draw.among only this many with the highest scores
 * @returns fewer than `count` only when there are fewer
 */
export function randomRows(
  pool: Pool,
  runId: number,
  draw: { among: number; count: number },
): Promise<RankedRow[]> {
  return rowsAt(pool, runId, drawPlaces(draw.among, Math.min(draw.count, draw.among)));
}

/** Rows by their ranks, from 0; in the order of `places`. */
async function rowsAt(pool: Pool, runId: number, places: number[]): Promise<RankedRow[]> {
  // SQL: expands the arrays of the relevant chunks only.
  const { rows } = await pool.query<RankedRow>(
    `select c.seqs[place % $3 + 1]::bigint as seq, c.scores[place % $3 + 1] as score
     from unnest($2::bigint[]) with ordinality as asked (place, n)
     join ranking_chunks c on c.run_id = $1 and c.chunk = place / $3
     order by n`,
    [runId, places, CHUNK_ROWS],
  );
  return rows;
}

/** Floyd's algorithm: exactly as many draws as samples. */
function drawPlaces(of: number, count: number): number[] {
  const drawn = new Set<number>();
  for (let last = of - count; last < of; last++) {
    const place = Math.floor(Math.random() * (last + 1));
    drawn.add(drawn.has(place) ? last : place);
  }
  return [...drawn];
}

/** The position of a reader on both sides of a threshold. */
export interface Outwards {
  /** The last row read among those with score >= threshold. */
  above?: RankedRow;
  below?: RankedRow;
}

/**
 * Rows of a ranked run by distance of their score from a threshold, nearest first. Of two equally near ones the flagged one
 * comes first.
 * @param page.floor minimum score
 * @param page.after `next` of the previous page
 */
export async function uncertainRows(
  pool: Pool,
  runId: number,
  page: { threshold: number; limit: number; floor?: number; after?: Outwards },
): Promise<{ rows: RankedRow[]; next: Outwards }> {
  const { threshold, limit, floor = 0, after = {} } = page;
  const [above, below] = await Promise.all([
    rankedRows(pool, runId, {
      order: 'score_asc',
      min: Math.max(threshold, floor),
      after: after.above,
      limit,
    }),
    // After the last row with exactly this score, so that no row below is included.
    rankedRows(pool, runId, {
      order: 'score_desc',
      min: floor,
      after: after.below ?? { score: threshold, seq: Number.MAX_SAFE_INTEGER },
      limit,
    }),
  ]);
  const next = { ...after };
  const rows: RankedRow[] = [];
  for (let a = 0, b = 0; rows.length < limit; ) {
    const [high, low] = [above[a], below[b]];
    if (high !== undefined && (low === undefined || distance(high) <= distance(low))) {
      rows.push(high);
      next.above = high;
      a++;
    } else if (low !== undefined) {
      rows.push(low);
      next.below = low;
      b++;
    } else break;
  }
  return { rows, next };

  /** In float32, as stored: a score has 24 bits. */
  function distance({ score }: RankedRow): number {
    return Math.abs(Math.fround(score) - Math.fround(threshold));
  }
}
