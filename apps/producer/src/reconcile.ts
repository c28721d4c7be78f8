import { setTimeout as sleep } from 'node:timers/promises';
import type { ParcelQueue } from '@tocsin/queue';
import { attendRun, cancelAbandonedRuns, type Pool, waitingParcels, withRetry } from '@tocsin/store';

const EVERY_MS = 5_000;
/** Enough that workers never run dry between two looks. */
const PARCELS = 1_000;

/** A run that this process waits for. */
export interface AttendedRun {
  pool: Pool;
  queue: ParcelQueue;
  guardId: number;
  runId: number;
}

/**
 * Keeps store and queue in step, again and again until the signal: says that the run is waited for, cancels runs whose
 * process was killed, and puts waiting parcels back into the queue. Whatever the queue has lost is found here, and what
 * it still has is not added twice.
 */
export async function reconcile(run: AttendedRun, signal: AbortSignal, everyMs = EVERY_MS): Promise<void> {
  while (!signal.aborted) {
    await withRetry(() => reconcileOnce(run), signal);
    await sleep(everyMs, undefined, { signal });
  }
}

async function reconcileOnce({ pool, queue, guardId, runId }: AttendedRun): Promise<void> {
  await attendRun(pool, runId);
  await cancelAbandonedRuns(pool);
  await queue.add(await waitingParcels(pool, guardId, PARCELS));
}
