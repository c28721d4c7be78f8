import type { Pool } from '@tocsin/postgres';
import type { ParcelQueue } from '@tocsin/queue';
import { adoptParcels, finishRun, hasUnresolvedItems, settledRuns } from '@tocsin/store';

/**
 * Ends those runs of a guard that nobody waits for and that have all their scores. One that needs parcels of another
 * run, which was cancelled since, takes them up.
 */
export async function settleRuns(pool: Pool, queue: ParcelQueue, guardId: number): Promise<void> {
  for (const runId of await settledRuns(pool, guardId)) {
    if (await hasUnresolvedItems(pool, runId)) await queue.add(await adoptParcels(pool, runId));
    else await finishRun(pool, runId);
  }
}
