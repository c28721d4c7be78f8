import type { ItemOrder } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { type RankedRow, rankedRows } from '../ranking/index.js';

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
