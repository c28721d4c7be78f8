import type { ReviewOrder } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import {
  countAtLeast,
  type Outwards,
  type RankedRow,
  randomRows,
  rankedRows,
  uncertainRows,
} from '../ranking/index.js';

export interface CandidateQuery {
  order: ReviewOrder;
  /** Of `uncertain`. */
  threshold: number;
  /** No row below it is wanted. */
  floor: number;
}

/** Most are free: a few are enough. Those after them are looked at in larger pages. */
const FIRST_PAGE = 50;
const PAGE = 1_000;
const DRAWS = 5;

/** A run's rows, as it is ranked, in the order in which they are to be reviewed: a page at a time, as long as there are any. */
export async function* reviewCandidates(
  pool: Pool,
  runId: number,
  { order, threshold, floor }: CandidateQuery,
): AsyncGenerator<RankedRow[]> {
  if (order === 'uncertain') {
    for (let after: Outwards = {}, limit = FIRST_PAGE; ; limit = PAGE) {
      const { rows, next } = await uncertainRows(pool, runId, { threshold, floor, limit, after });
      if (rows.length === 0) return;
      yield rows;
      after = next;
    }
  }
  if (order === 'random') {
    const [wanted = 0] = await countAtLeast(pool, runId, [floor]);
    for (let draw = 0, limit = FIRST_PAGE; draw < DRAWS; draw++, limit = PAGE) {
      yield await randomRows(pool, runId, { among: wanted, count: limit });
    }
    // Nearly all are judged: what is left is found by going through them.
  }
  for (let after: RankedRow | undefined, limit = FIRST_PAGE; ; limit = PAGE) {
    const rows = await rankedRows(pool, runId, { order: 'score_desc', min: floor, limit, after });
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1);
  }
}
