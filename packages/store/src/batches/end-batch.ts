import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { completeFile } from '../files/index.js';
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
  completed: 'completed_at',
  expired: 'expired_at',
  cancelled: 'cancelled_at',
} as const satisfies Record<BatchEnd['state'], string>;

/**
 * Ends a batch: its files are there from now on, or none of this is.
 * @returns false when another has taken it
 */
export function endBatch(pool: Pool, { id, takes }: TakenBatch, end: BatchEnd): Promise<boolean> {
  const { state, total, completed, failed, output, errors } = end;
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `update batches set state = $3, ${TIME_OF[state]} = now(), seen_at = null, total = $4, completed = $5, failed = $6,
         output_file = $7, error_file = $8, finalizing_at = coalesce(finalizing_at, now())
       where id = $1 and takes = $2 and state in ('finalizing', 'cancelling')`,
      [id, takes, state, total, completed, failed, output?.id ?? null, errors?.id ?? null],
    );
    if (rowCount !== 1) return false;
    for (const file of [output, errors]) {
      if (file !== undefined) await completeFile(client, file.id, file.bytes);
    }
    return true;
  });
}
