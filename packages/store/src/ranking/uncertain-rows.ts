import type { Pool } from '@tocsin/postgres';
import { type RankedRow, rankedRows } from './ranked-rows.js';

/** How far a reader has got on the two sides of a threshold. */
export interface Outwards {
  /** Of the rows with score >= threshold, the last that was read. */
  above?: RankedRow;
  below?: RankedRow;
}

/**
 * Rows of a run, as it is ranked, by how near their score is to a threshold: those first of which the threshold says
 * least. Of two that are equally near, the one that is flagged comes first.
 * @param page.floor no row below it is wanted
 * @param page.floor no row below it is wanted
 * @param page.after `next` of the page before this one
 */
export async function uncertainRows(
  pool: Pool,
  runId: number,
  page: { threshold: number; limit: number; floor?: number; after?: Outwards },
): Promise<{ rows: RankedRow[]; next: Outwards }> {
  const { threshold, limit, floor = 0, after = {} } = page;
  const [above, below] = await Promise.all([
    rankedRows(pool, runId, {
      order: 'score_asc',
      min: Math.max(threshold, floor),
      after: after.above,
      limit,
    }),
    // After the last row that has just this score: none of them is below.
    rankedRows(pool, runId, {
      order: 'score_desc',
      min: floor,
      after: after.below ?? { score: threshold, seq: Number.MAX_SAFE_INTEGER },
      limit,
    }),
  ]);
  const next = { ...after };
  const rows: RankedRow[] = [];
  for (let a = 0, b = 0; rows.length < limit; ) {
    const [high, low] = [above[a], below[b]];
    if (high !== undefined && (low === undefined || distance(high) <= distance(low))) {
      rows.push(high);
      next.above = high;
      a++;
    } else if (low !== undefined) {
      rows.push(low);
      next.below = low;
      b++;
    } else break;
  }
  return { rows, next };

  /** Of numbers as the database has them: a score has 24 bits. */
  function distance({ score }: RankedRow): number {
    return Math.abs(Math.fround(score) - Math.fround(threshold));
  }
}
