import type { Pool } from '@tocsin/postgres';
import { type BatchFault, type BatchRow, changeBatch } from '@tocsin/store';

/** Ends a batch that has no results. */
export async function failBatch(
  pool: Pool,
  batch: BatchRow,
  errors: BatchFault[],
  requests = 0,
): Promise<void> {
  await changeBatch(pool, batch, { state: 'failed', errors, total: requests, failed: requests });
}

/** What is wrong with a batch as a whole. */
export function wholeFault(code: string, message: string): BatchFault {
  return { code, message, param: null, line: null };
}
