import { poll } from '@tocsin/core';
import { Leadership, type Pool, withRetry } from '@tocsin/postgres';
import { ParcelQueue, type QueueBackend, queueNameOf } from '@tocsin/queue';
import {
  adoptParcels,
  attendRun,
  cancelAbandonedExpress,
  cancelAbandonedRuns,
  finishRun,
  forgetExpress,
  forgetStoppedTexts,
  guardQueue,
  hasUnresolvedItems,
  type RetriedRun,
  retryRun,
  settledRuns,
  type UnattendedRun,
  unattendedRuns,
  waitingParcels,
} from '@tocsin/store';

const EVERY_MS = 5_000;
/** Express parcels that are over are looked for less often: there may be many. */
const FORGET_EVERY_MS = 10 * 60_000;
/** Looking may take this share of the database's time. */
const SHARE_OF_TIME = 0.2;
/** Enough that workers never run dry between two looks. */
const PARCELS = 1_000;

/** A guard whose parcels are looked after. */
export interface ReconcileOptions {
  pool: Pool;
  queue: ParcelQueue;
  guardId: number;
  /** A run that this process waits for. */
  runId?: number;
  /** Told of what went wrong, and is tried again. Without it, what goes wrong ends the reconciler. */
  onError?: (error: Error) => void;
  everyMs?: number;
}

/**
 * Keeps store and queue in step, again and again until the signal. Every worker of a guard and everybody who waits for a
 * run does so, and one of them at a time (the leader) does what only one needs to do: it puts waiting parcels back into
 * the queue, ends runs that nobody waits for, and cancels runs and express parcels whose process was killed. Whatever the queue has lost is
 * found here, and what it still has is not added twice.
 *
 * @throws UserError when the run that is waited for was cancelled, or has failed
 */
export async function reconcile(options: ReconcileOptions, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const stop = (error: unknown): void => over.abort(error);
  await Promise.all([
    // Beside the rest, which may take longer than it takes to look abandoned.
    ...(options.runId === undefined ? [] : [attend(options, options.runId, until).catch(stop)]),
    keepInStep(options, until).catch(stop),
  ]);
  over.signal.throwIfAborted();
}

/** Says again and again that this process waits for a run. */
async function attend(options: ReconcileOptions, runId: number, signal: AbortSignal): Promise<void> {
  const { pool, onError, everyMs = EVERY_MS } = options;
  await poll(() => withRetry(() => attendRun(pool, runId), signal), { everyMs, signal, onError });
}

async function keepInStep(options: ReconcileOptions, signal: AbortSignal): Promise<void> {
  const { onError, everyMs = EVERY_MS } = options;
  const leadership = new Leadership(options.pool, options.guardId);
  // Those that looked abandoned at the look before.
  let unattended: UnattendedRun[] = [];
  let forgotAt = Number.NEGATIVE_INFINITY;
  const look = async (): Promise<void> => {
    if (!(await withRetry(() => leadership.held(), signal))) return;
    const started = performance.now();
    unattended = await withRetry(() => lead(options, unattended), signal);
    if (started - forgotAt < FORGET_EVERY_MS) return;
    await withRetry(() => forgetExpress(options.pool, options.guardId), signal);
    forgotAt = started;
  };
  try {
    await poll(look, { everyMs, shareOfTime: SHARE_OF_TIME, signal, onError });
  } finally {
    leadership.release();
  }
}

async function lead(
  { pool, queue, guardId }: ReconcileOptions,
  unattended: UnattendedRun[],
): Promise<UnattendedRun[]> {
  await queue.add(await waitingParcels(pool, guardId, PARCELS));
  await settleRuns(pool, queue, guardId);
  await cancelAbandonedRuns(pool, unattended);
  await cancelAbandonedExpress(pool, guardId);
  await forgetStoppedTexts(pool);
  return unattendedRuns(pool);
}

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
