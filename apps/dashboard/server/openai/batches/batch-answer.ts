import type { Batch } from '@tocsin/contract/openai';
import { unixSeconds } from '@tocsin/contract/openai';
import type { Pool } from '@tocsin/postgres';
import { type BatchRow, findRun, runProgress } from '@tocsin/store';

/** A batch as OpenAI shows one. Of one that is in progress, `completed` is estimated from the rows that have scores. */
export async function batchAnswer(pool: Pool, batch: BatchRow): Promise<Batch> {
  const { total, failed } = batch;
  const completed = batch.state === 'in_progress' ? await completedSoFar(pool, batch) : batch.completed;
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    model: batch.model,
    errors: batch.errors === null ? null : { object: 'list', data: batch.errors },
    input_file_id: batch.inputFile,
    completion_window: batch.completionWindow,
    status: batch.state,
    output_file_id: batch.outputFile,
    error_file_id: batch.errorFile,
    created_at: unixSeconds(batch.createdAt),
    in_progress_at: secondsOrNull(batch.inProgressAt),
    expires_at: unixSeconds(batch.expiresAt),
    finalizing_at: secondsOrNull(batch.finalizingAt),
    completed_at: secondsOrNull(batch.completedAt),
    failed_at: secondsOrNull(batch.failedAt),
    expired_at: secondsOrNull(batch.expiredAt),
    cancelling_at: secondsOrNull(batch.cancellingAt),
    cancelled_at: secondsOrNull(batch.cancelledAt),
    request_counts: { total, completed, failed },
    metadata: batch.metadata,
    run: batch.runId,
  };
}

const secondsOrNull = (time: Date | null): number | null => (time === null ? null : unixSeconds(time));

/** A request may have many texts, and the run counts texts: their share is that of the requests, near enough. */
async function completedSoFar(pool: Pool, { runId, total, failed }: BatchRow): Promise<number> {
  // A run that was purged leaves its batch to be finalized within a second.
  if (runId === null) return 0;
  const [run, { contents, contentsDone }] = await Promise.all([
    findRun(pool, runId),
    runProgress(pool, runId),
  ]);
  const texts = run === undefined ? 0 : run.rows - run.rejected;
  if (texts === 0) return 0;
  const left = Math.min(contents - contentsDone, texts) / texts;
  return Math.floor((total - failed) * (1 - left));
}
