import type { Pool } from '@tocsin/postgres';
import { type RankedRow, rankedRows } from './ranked-rows.js';
import { countAtLeast } from './score-counts.js';

/** What moving a threshold would do to a run, as it is ranked. */
export interface ThresholdPreview {
  /** Rows that are flagged before the move, and after it. */
  before: number;
  after: number;
  /** Rows whose flag it changes: all of them get it, or all of them lose it. */
  added: number;
  removed: number;
  /** Some of those rows: first those whose score is nearest to the new threshold. */
  examples: RankedRow[];
}

export async function previewThreshold(
  pool: Pool,
  runId: number,
  move: { from: number; to: number; examples: number },
): Promise<ThresholdPreview> {
  const { from, to } = move;
  const lower = to < from;
  const [[before = 0, after = 0], examples] = await Promise.all([
    countAtLeast(pool, runId, [from, to]),
    rankedRows(pool, runId, {
      order: lower ? 'score_asc' : 'score_desc',
      // The rows between the two: the lower one is flagged, the higher one is what they do not reach.
      min: Math.min(from, to),
      after: lower ? undefined : { score: to, seq: Number.MAX_SAFE_INTEGER },
      limit: move.examples,
    }),
  ]);
  return {
    before,
    after,
    added: Math.max(0, after - before),
    removed: Math.max(0, before - after),
    // Going up from the new threshold, the rows from the old one on were flagged before.
    examples: lower ? examples.filter(({ score }) => Math.fround(score) < Math.fround(from)) : examples,
  };
}
