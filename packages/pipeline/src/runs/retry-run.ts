import { type Pool, withRetry } from '@tocsin/postgres';
import { ParcelQueue, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { guardQueue, type RetriedRun, retryRun } from '@tocsin/store';

/**
 * Takes up what a run that is over has no score for, and puts it back into the queue.
 * @throws UserError when there is no such run, or it is not over
 */
export async function retryQueued(pool: Pool, backend: QueueBackend, runId: number): Promise<RetriedRun> {
  const retried = await withRetry(() => retryRun(pool, runId));
  const queue = new ParcelQueue(backend, queueNameOf(await guardQueue(pool, retried.guardId)));
  try {
    await queue.add(retried.parcels);
  } finally {
    await queue.close();
  }
  return retried;
}
