import { OPEN_RUN_STATES } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import { and, eq, inArray, lt, notExists, or, sql } from 'drizzle-orm';
import { completeFile } from '../files/index.js';
import { batches } from '../schema/dashboard.js';
import { runs } from '../schema/pipeline.js';
import { runQuery } from '../schema/run-query.js';
import { SEEN_WHILE_SUBMITTED, type TakenBatch } from './take-batch.js';

/** A file that was written, and is to be completed. */
export interface WrittenFile {
  id: string;
  bytes: number;
}

/** What a batch came to. */
export interface BatchEnd {
  state: 'completed' | 'expired' | 'cancelled';
  total: number;
  completed: number;
  failed: number;
  /** With what was answered; undefined when nothing was. */
  output: WrittenFile | undefined;
  /** With what was not. */
  errors: WrittenFile | undefined;
}

const TIME_OF = {
  completed: 'completedAt',
  expired: 'expiredAt',
  cancelled: 'cancelledAt',
} as const satisfies Record<BatchEnd['state'], keyof typeof batches.$inferSelect>;

/**
 * Ends a batch: its files are there from now on, or none of this is.
 * @returns false when another has taken it
 */
export function endBatch(pool: Pool, { id, takes }: TakenBatch, end: BatchEnd): Promise<boolean> {
  const { state, total, completed, failed, output, errors } = end;
  return inTransaction(pool, async (client) => {
    const { rowCount } = await runQuery(client, (db) =>
      db
        .update(batches)
        .set({
          state,
          total,
          completed,
          failed,
          [TIME_OF[state]]: sql`now()`,
          finalizingAt: sql`coalesce(${batches.finalizingAt}, now())`,
          seenAt: null,
          outputFile: output?.id ?? null,
          errorFile: errors?.id ?? null,
        })
        .where(
          and(
            eq(batches.id, id),
            eq(batches.takes, takes),
            inArray(batches.state, ['finalizing', 'cancelling']),
          ),
        ),
    );
    if (rowCount !== 1) return false;
    for (const file of [output, errors]) {
      if (file !== undefined) await completeFile(client, file.id, file.bytes);
    }
    return true;
  });
}

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
