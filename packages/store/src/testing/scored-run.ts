import type { Pool } from '@tocsin/postgres';
import { findRun, type Run } from '../runs/read-runs.js';
import type { RunOptions } from '../runs/runs.js';
import { newRun } from './test-guard.js';

/**
 * A run that is over, of a guard of its own, with a row for each score: row n has key `r<n>` and, if texts are given, the
 * n-th of them. Rows with the same word in `contents` share a content, and the score of the first.
 */
export async function storeScoredRun(
  pool: Pool,
  scores: readonly number[],
  options: RunOptions & { texts?: readonly string[]; contents?: readonly string[] } = {},
): Promise<Run> {
  const { runId, guardId } = await newRun(pool, options);
  const words = scores.map((_, i) => options.contents?.[i] ?? `content ${i}`);
  await pool.query(
    `with row as (
       select n, word, score from unnest($3::text[], $4::real[]) with ordinality as given (word, score, n)
     ), scored as (
       insert into scores (guard_id, content, parcel_id, tokens, score)
       select distinct on (word) $2, sha256(word::bytea), 0, 1, score from row order by word, n
     )
     insert into items (run_id, seq, key, content) select $1, n, 'r' || n, sha256(word::bytea) from row`,
    [runId, guardId, words, scores],
  );
  await pool.query(
    `insert into item_texts (run_id, seq, json)
     select $1, n, json from unnest($2::text[]) with ordinality as given (json, n)`,
    [runId, (options.texts ?? []).map((text) => JSON.stringify({ text }))],
  );
  await pool.query(
    `update runs set state = 'done', rows = $2, fresh = $2, finished_at = now() where id = $1`,
    [runId, scores.length],
  );
  const run = await findRun(pool, runId);
  if (run === undefined) throw new Error('the run is gone');
  return run;
}
