import type { ItemOrder } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { type RankedRow, rankedRows } from '../ranking/ranked-rows.js';

/** Characters of a row's JSON that a list reads: enough for a preview of each part, unless the first is very long. */
const LISTED_CHARACTERS = 16_000;
/** Characters of a row's JSON that are read for one row. A file may hold longer ones; no guard reads as much. */
const SHOWN_CHARACTERS = 4_000_000;

/** Which run, and whose scores: a `Run` or a row of it. */
export interface ScoredRun {
  id: number;
  guardId: number;
}

/** A row of a run, with what became of it. */
export interface ItemRow {
  /** From 1. */
  seq: number;
  key: string;
  /** Null for a row that has none (yet). */
  score: number | null;
  /** What the model saw of it. */
  tokens: number | null;
  /** Its content ended in this. */
  error: string | null;
  /** It could not be read. */
  reject: string | null;
  truncated: boolean;
  /** What was given, as JSON (see `plainText`), perhaps cut off; null when it was not asked for, or is not retained. */
  json: string | null;
  /** Bytes of the whole JSON; null with `json`. */
  jsonBytes: number | null;
}

/**
 * Rows of a run by their numbers, in that order; those that there are. Of texts only the first 16,000 characters are read: a
 * page of long ones would not fit into memory.
 */
export function itemsBySeq(
  pool: Pool,
  run: ScoredRun,
  seqs: readonly number[],
  options: { texts?: boolean } = {},
): Promise<ItemRow[]> {
  return readItems(pool, run, seqs, options.texts === true ? LISTED_CHARACTERS : 0);
}

/** One row of a run with the first 4,000,000 characters of its text; undefined when there is none. */
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
  // SQL: one look-up by key for each row of a page, whatever the planner thinks of the tables' sizes.
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

/** Whether a row's JSON is only the beginning of what is stored. */
export function isCut({ json, jsonBytes }: Pick<ItemRow, 'json' | 'jsonBytes'>): boolean {
  return json !== null && Buffer.byteLength(json) < (jsonBytes ?? 0);
}

/** Where a page ends. */
export interface ItemCursor {
  seq: number;
  /** Of an order by score. */
  score?: number;
}

export interface OrderedQuery {
  order: ItemOrder;
  limit: number;
  /** Scores in [min, max]; with either, only rows that have a score. */
  min?: number;
  max?: number;
  /** `next` of the page before this one. */
  after?: ItemCursor;
}

/** Rows in the order that is asked for, as far as scores and numbers go. */
export function rowsInOrder(
  pool: Pool,
  runId: number,
  { order, limit, min, max, after }: OrderedQuery,
): Promise<ItemCursor[]> {
  if (order !== 'seq') return rankedRows(pool, runId, { order, limit, min, max, after: rankedCursor(after) });
  if (min === undefined && max === undefined) return rowsBySeq(pool, runId, after?.seq ?? 0, limit);
  return scoredRowsBySeq(pool, runId, { min: min ?? 0, max: max ?? 1, after: after?.seq ?? 0, limit });
}

/** @throws RangeError when it is none of an order by score */
export function rankedCursor(after: ItemCursor | undefined): RankedRow | undefined {
  if (after === undefined) return undefined;
  if (after.score === undefined) throw new RangeError('a cursor of an order by score has a score');
  return { seq: after.seq, score: after.score };
}

async function rowsBySeq(pool: Pool, runId: number, after: number, limit: number): Promise<ItemCursor[]> {
  // SQL: the arrays of chunks are unnested, and only those chunks that matter are read.
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
