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
  /** The threshold for the `uncertain` order. */
  threshold: number;
  /** Rows judged by exactly one other reviewer, to measure agreement, instead of ones without a verdict. */
  second?: boolean;
  /** Rows that the reviewer already holds: lease another one. */
  besides?: readonly number[];
}

/** A run, and which of its texts are stored. */
export interface ReviewedRun extends ScoredRun {
  state: RunState;
  retain: Retention;
  threshold: number | null;
}

/**
 * Leases the next row to a reviewer, so that no one else gets it, or another row with its content. Returns the same row again
 * until it is judged, released, or named in `besides`.
 * @returns undefined when there is none: all are judged or leased, or no text is stored
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

/** A finished run that only keeps flagged texts has none below its threshold. */
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

/** The rows of a run that another reviewer has judged in it. */
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
  /** For `uncertain`. */
  threshold: number;
  /** Minimum score. */
  floor: number;
}

/** Most rows are free, so the first page is small; later pages are larger. */
const FIRST_PAGE = 50;
const PAGE = 1_000;
const DRAWS = 5;

/** A ranked run's rows in review order, page by page. */
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
    // Nearly all are judged: scan for the rest.
  }
  for (let after: RankedRow | undefined, limit = FIRST_PAGE; ; limit = PAGE) {
    const rows = await rankedRows(pool, runId, { order: 'score_desc', min: floor, limit, after });
    if (rows.length === 0) return;
    yield rows;
    after = rows.at(-1);
  }
}
