import type { ItemOrder } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { type RankedRow, rankedRows } from '../ranking/ranked-rows.js';

/** Characters of a row's JSON for lists: enough for a preview of each part, unless the first is very long. */
const LISTED_CHARACTERS = 16_000;
/** Characters of a row's JSON for a single row. Files may have longer ones, but no guard reads as much. */
const SHOWN_CHARACTERS = 4_000_000;

/** A run and its guard: a `Run` or its row. */
export interface ScoredRun {
  id: number;
  guardId: number;
}

/** A row of a run with its outcome. */
export interface ItemRow {
  /** From 1. */
  seq: number;
  key: string;
  /** Null without a score (yet). */
  score: number | null;
  /** Tokens that the model read. */
  tokens: number | null;
  /** The error of its content. */
  error: string | null;
  /** Why it could not be read. */
  reject: string | null;
  truncated: boolean;
  /** The item as JSON (see `plainText`), possibly truncated; null when not requested, or not retained. */
  json: string | null;
  /** Bytes of the whole JSON; null with `json`. */
  jsonBytes: number | null;
}

/**
 * Rows of a run by number, in the given order; missing ones are skipped. Texts are limited to 16,000 characters, so
 * that a page fits into memory.
 */
export function itemsBySeq(
  pool: Pool,
  run: ScoredRun,
  seqs: readonly number[],
  options: { texts?: boolean } = {},
): Promise<ItemRow[]> {
  return readItems(pool, run, seqs, options.texts === true ? LISTED_CHARACTERS : 0);
}

/** One row of a run with up to 4,000,000 characters of its text; undefined when it does not exist. */
export async function findItem(pool: Pool, run: ScoredRun, seq: number): Promise<ItemRow | undefined> {
  const [item] = await readItems(pool, run, [seq], SHOWN_CHARACTERS);
  return item;
}

async function readItems(
  pool: Pool,
  run: ScoredRun,
  seqs: readonly number[],
  characters: number,
): Promise<ItemRow[]> {
  // SQL: one look-up by key per row, whatever the planner's statistics.
  const { rows } = await pool.query<ItemRow>(
    `select i.seq, i.key, s.score, s.tokens, s.error, i.reject, i.truncated,
            left(t.json, $4) as json, octet_length(t.json) as "jsonBytes"
     from unnest($3::bigint[]) with ordinality as asked (seq, n)
     join items i on i.run_id = $1 and i.seq = asked.seq
     -- One look-up a row, whatever the planner thinks of the size of the tables.
     left join lateral (select score, tokens, error from scores where guard_id = $2 and content = i.content limit 1) s on true
     left join lateral (select json from item_texts where $4 > 0 and run_id = i.run_id and seq = i.seq limit 1) t on true
     order by n`,
    [run.id, run.guardId, seqs, characters],
  );
  return rows;
}

/** Whether a row's JSON is truncated. */
export function isCut({ json, jsonBytes }: Pick<ItemRow, 'json' | 'jsonBytes'>): boolean {
  return json !== null && Buffer.byteLength(json) < (jsonBytes ?? 0);
}

/** The position of a page's end. */
export interface ItemCursor {
  seq: number;
  /** For an order by score. */
  score?: number;
}

export interface OrderedQuery {
  order: ItemOrder;
  limit: number;
  /** Scores in [min, max]; with either, only rows with a score. */
  min?: number;
  max?: number;
  /** `next` of the previous page. */
  after?: ItemCursor;
}

/** Rows in the given order, filtered by score and position. */
export function rowsInOrder(
  pool: Pool,
  runId: number,
  { order, limit, min, max, after }: OrderedQuery,
): Promise<ItemCursor[]> {
  if (order !== 'seq') return rankedRows(pool, runId, { order, limit, min, max, after: rankedCursor(after) });
  if (min === undefined && max === undefined) return rowsBySeq(pool, runId, after?.seq ?? 0, limit);
  return scoredRowsBySeq(pool, runId, { min: min ?? 0, max: max ?? 1, after: after?.seq ?? 0, limit });
}

/** @throws RangeError for a cursor of another order */
export function rankedCursor(after: ItemCursor | undefined): RankedRow | undefined {
  if (after === undefined) return undefined;
  if (after.score === undefined) throw new RangeError('a cursor of an order by score has a score');
  return { seq: after.seq, score: after.score };
}

async function rowsBySeq(pool: Pool, runId: number, after: number, limit: number): Promise<ItemCursor[]> {
  // SQL: expands the arrays of the relevant chunks only.
  const { rows } = await pool.query<ItemCursor>(
    'select seq from items where run_id = $1 and seq > $2 order by seq limit $3',
    [runId, after, limit],
  );
  return rows;
}

async function scoredRowsBySeq(
  pool: Pool,
  runId: number,
  { min, max, after, limit }: { min: number; max: number; after: number; limit: number },
): Promise<ItemCursor[]> {
  const { rows } = await pool.query<ItemCursor>(
    `select seq::bigint as seq
     from ranking_chunks, unnest(seqs, scores) as ranked (seq, score)
     where run_id = $1 and top_score >= $2::real and bottom_score <= $3::real
       and score >= $2::real and score <= $3::real and seq > $4
     order by seq limit $5`,
    [runId, min, max, after, limit],
  );
  return rows;
}
