import { isOpen, type Retention, type ReviewOrder, type RunState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import type { ScoredRun } from '../items/items.js';
import {
  type Outwards,
  type RankedRow,
  randomRows,
  rankedRows,
  uncertainRows,
} from '../ranking/ranked-rows.js';
import { countAtLeast } from '../ranking/score-counts.js';
import { heldReview, type LeasedRow, leaseFirst } from './review-leases.js';

export interface ReviewQuery {
  reviewer: string;
  order: ReviewOrder;
  /** What `uncertain` is about. */
  threshold: number;
  /** Rows that one other has judged, for the agreement between two, instead of those that nobody has. */
  second?: boolean;
  /** Rows that the reviewer has before them: another one, then, leased as well. */
  besides?: readonly number[];
}

/** A run, and which of its texts are there. */
export interface ReviewedRun extends ScoredRun {
  state: RunState;
  retain: Retention;
  threshold: number | null;
}

/**
 * The row that a reviewer is to judge next: leased to them, so that nobody else gets it, nor another row with its content.
 * The same one again as long as it is neither judged nor released, nor named in `besides`.
 * @returns undefined when there is none: all are judged or with others, or no text is retained
 */
export async function nextReview(
  pool: Pool,
  run: ReviewedRun,
  query: ReviewQuery,
): Promise<LeasedRow | undefined> {
  const held = await heldReview(pool, run.id, query.reviewer, query.besides);
  if (held !== undefined) return held;
  if (!(await hasTexts(pool, run.id))) return undefined;
  const wanted = { reviewer: query.reviewer, second: query.second === true };
  const pages = wanted.second
    ? [await judgedRows(pool, run, query)]
    : reviewCandidates(pool, run.id, { ...query, floor: lowestRetained(run) });
  for await (const rows of pages) {
    const leased = await leaseFirst(pool, run, wanted, rows);
    if (leased !== undefined) return leased;
  }
  return undefined;
}

/** A run that is over and keeps the flagged ones only has no text below its threshold: there is no use in looking. */
function lowestRetained({ state, retain, threshold }: ReviewedRun): number {
  return !isOpen(state) && retain === 'flagged' ? (threshold ?? 0) : 0;
}

async function hasTexts(pool: Pool, runId: number): Promise<boolean> {
  const { rows } = await pool.query<{ any: boolean }>(
    'select exists (select from item_texts where run_id = $1) as any',
    [runId],
  );
  return rows[0]?.any === true;
}

const SORT = { uncertain: 'distance, id', score: 'score desc, id', random: 'random()' };

/** The rows of a run that somebody else has judged in it. */
async function judgedRows(pool: Pool, run: ScoredRun, query: ReviewQuery): Promise<RankedRow[]> {
  const { rows } = await pool.query<RankedRow>(
    `select seq, score
     from (select id, seq, score, abs(score - $2::real) as distance from verdicts
           where run_id = $1 and undone_at is null and verdict <> 'skip' and reviewer <> $3) judged
     order by ${SORT[query.order]}`,
    [run.id, query.threshold, query.reviewer],
  );
  return rows;
}

interface CandidateQuery {
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
async function* reviewCandidates(
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
