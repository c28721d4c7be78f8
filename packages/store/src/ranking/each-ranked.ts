import type { Pool } from '@tocsin/postgres';

/** Some rows of a ranking, in its order. */
export interface RankedChunk {
  seqs: number[];
  scores: number[];
}

const CHUNKS_AT_ONCE = 20;

/** All rows of a run, as it is ranked, in the order of their scores; a few thousand at a time. */
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
