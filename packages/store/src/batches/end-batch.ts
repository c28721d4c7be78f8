import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { completeFile } from '../files/index.js';
import { batches } from '../schema/dashboard.js';
import { runQuery } from '../schema/run-query.js';
import type { TakenBatch } from './take-batch.js';

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
