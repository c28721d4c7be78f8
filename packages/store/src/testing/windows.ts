import { createHash } from 'node:crypto';
import type { Pool } from '@tocsin/postgres';
import { type ContentOutcome, completeParcel } from '../parcels/complete-parcel.js';
import type { NewParcel, Window } from '../parcels/submit-window.js';

/** The hash of a content that stands for `word`. */
export function hashOf(word: string): Buffer {
  return createHash('sha256').update(word).digest();
}

/** A parcel of contents that stand for words; each has as many tokens as its word has letters. */
export function parcelOf(...words: string[]): NewParcel {
  return {
    hashes: words.map(hashOf),
    tokenIds: words.map((word) => Int32Array.from(word, (letter) => letter.codePointAt(0) ?? 0)),
  };
}

/** A window with one row for each word, all of them in one parcel. `changes` replace parts of it. */
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

/** Completes a parcel of words: those that are given have a score, or an error where it is a string. */
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
