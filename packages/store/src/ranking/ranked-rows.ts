import type { Pool } from '@tocsin/postgres';
import { CHUNK_ROWS } from './build-ranking.js';

/** A row of a ranking. */
export interface RankedRow {
  seq: number;
  score: number;
}

/** The highest scores first, of equals the first row first; or exactly the other way round. */
export type ScoreOrder = 'score_desc' | 'score_asc';

export interface RankedPage {
  order: ScoreOrder;
  limit: number;
  /** Scores in [min, max]. */
  min?: number;
  max?: number;
  /** The rows that come after this one; it need not be there any more. */
  after?: RankedRow;
}

/** A page of a run's rows in the order of their scores, as the run is ranked. */
export async function rankedRows(pool: Pool, runId: number, page: RankedPage): Promise<RankedRow[]> {
  const down = page.order === 'score_desc';
  // SQL: the arrays of chunks are unnested, and only those chunks that matter are read.
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
      // The first may have but one row that is wanted.
      Math.ceil(page.limit / CHUNK_ROWS) + 1,
    ],
  );
  return rows;
}

const AFTER_DOWN = (score: string, seq: string) =>
  `(${score} < $4::real or (${score} = $4::real and ${seq} > $5::bigint))`;
const AFTER_UP = (score: string, seq: string) =>
  `(${score} > $4::real or (${score} = $4::real and ${seq} < $5::bigint))`;
