import { createHash } from 'node:crypto';
import type { Pool } from '@tocsin/postgres';
import { type ContentOutcome, completeParcel } from '../parcels/complete-parcel.js';
import type { NewParcel, Window } from '../parcels/submit-window.js';
import { findRun, type Run } from '../runs/read-runs.js';
import { createRun, type RunOptions, registerGuard } from '../runs/runs.js';

let guards = 0;

/** A new guard with its own scores, and a run of it. */
export async function newRun(
  pool: Pool,
  options: RunOptions = {},
): Promise<{ guardId: number; runId: number }> {
  guards++;
  const { id: guardId } = await registerGuard(pool, String(guards).padStart(64, '0'), 'test');
  return { guardId, runId: await createRun(pool, guardId, 'corpus.jsonl', options) };
}

/** Another run of the same guard. */
export async function anotherRun(pool: Pool, guardId: number): Promise<{ guardId: number; runId: number }> {
  return { guardId, runId: await createRun(pool, guardId, 'again.jsonl') };
}

/** The content hash for `word`. */
export function hashOf(word: string): Buffer {
  return createHash('sha256').update(word).digest();
}

/** A parcel with words as contents; each has as many tokens as its word has letters. */
export function parcelOf(...words: string[]): NewParcel {
  return {
    hashes: words.map(hashOf),
    tokenIds: words.map((word) => Int32Array.from(word, (letter) => letter.codePointAt(0) ?? 0)),
  };
}

/** A window with one row per word, all in one parcel. `changes` override parts of it. */
export function windowOf(
  run: { runId: number; guardId: number },
  words: string[],
  changes: Partial<Window> = {},
): Window {
  const afterRows = changes.afterRows ?? 0;
  return {
    ...run,
    afterRows,
    items: words.map((word, i) => ({
      seq: afterRows + i + 1,
      key: `row-${afterRows + i + 1}`,
      content: hashOf(word),
      truncated: false,
      reject: null,
    })),
    parcels: words.length === 0 ? [] : [parcelOf(...new Set(words))],
    stranded: [],
    counts: { fresh: words.length, known: 0, duplicates: 0, rejected: 0 },
    ...changes,
  };
}

/** Completes a parcel of words: given ones get a score, or an error if it is a string. */
export function scoreParcel(
  pool: Pool,
  parcelId: number,
  results: Record<string, number | string>,
): Promise<void> {
  const outcomes = Object.entries(results).map(([word, result]): ContentOutcome => {
    const [tokenIds] = parcelOf(word).tokenIds;
    return typeof result === 'number'
      ? { hash: hashOf(word), tokens: word.length, score: result, error: null, tokenIds }
      : { hash: hashOf(word), tokens: word.length, score: null, error: result, tokenIds };
  });
  return completeParcel(pool, parcelId, outcomes);
}

/**
 * A finished run of a new guard with one row per score: row n has key `r<n>` and, if texts are given, the n-th text. Rows
 * with the same word in `contents` share a content, and the score of the first.
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
