import { setTimeout as sleep } from 'node:timers/promises';
import type { ParcelQueue } from '@tocsin/queue';
import { type Pool, waitingParcels, withRetry } from '@tocsin/store';

const EVERY_MS = 5_000;
/** Enough that workers never run dry between two looks. */
const PARCELS = 1_000;

/**
 * Puts waiting parcels back into the queue, again and again until the signal: whatever the queue has lost is found
 * here, and what it still has is not added twice.
 */
export async function reconcile(
  pool: Pool,
  queue: ParcelQueue,
  guardId: number,
  signal: AbortSignal,
  everyMs = EVERY_MS,
): Promise<void> {
  while (!signal.aborted) {
    await withRetry(async () => queue.add(await waitingParcels(pool, guardId, PARCELS)), signal);
    await sleep(everyMs, undefined, { signal });
  }
}
