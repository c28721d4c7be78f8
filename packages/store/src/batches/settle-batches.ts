import { OPEN_RUN_STATES } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { and, eq, inArray, lt, notExists, or, sql } from 'drizzle-orm';
import { batches } from '../schema/dashboard.js';
import { runs } from '../schema/pipeline.js';
import { runQuery } from '../schema/run-query.js';
import { SEEN_WHILE_SUBMITTED } from './take-batch.js';

/**
 * Moves batches on whose run is over, or whose time is up: they are to be finalized. Whoever works on one whose time is
 * up finds that out when it attends it.
 * @returns how many
 */
export async function settleBatches(pool: Pool): Promise<number> {
  const { rowCount } = await runQuery(pool, (db) =>
    db
      .update(batches)
      .set({ state: 'finalizing', finalizingAt: sql`now()`, seenAt: SEEN_WHILE_SUBMITTED })
      .where(
        or(
          and(inArray(batches.state, ['validating', 'in_progress']), lt(batches.expiresAt, sql`now()`)),
          and(
            eq(batches.state, 'in_progress'),
            notExists(
              db
                .select({ id: runs.id })
                .from(runs)
                .where(and(eq(runs.id, batches.runId), inArray(runs.state, OPEN_RUN_STATES))),
            ),
          ),
        ),
      ),
  );
  return rowCount ?? 0;
}
