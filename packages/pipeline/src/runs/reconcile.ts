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
/** Finished express parcels are checked less often: there may be many. */
const FORGET_EVERY_MS = 10 * 60_000;
/** Maximum share of the time spent in queries. */
const SHARE_OF_TIME = 0.2;
/** Enough that workers do not run out of parcels between two rounds. */
const PARCELS = 1_000;

/** A guard whose parcels are reconciled. */
export interface ReconcileOptions {
  pool: Pool;
  queue: ParcelQueue;
  guardId: number;
  /** A run that this process waits for. */
  runId?: number;
  /** Called with errors that are retried. Without it, an error ends the reconciler. */
  onError?: (error: Error) => void;
  everyMs?: number;
}

/**
 * Keeps store and queue consistent until the signal aborts. It runs in every worker of a guard and in every process that waits
 * for a run; one of them (the leader) does the shared work: it enqueues pending parcels, ends unattended runs, and cancels
 * runs and express parcels of killed processes. It finds jobs that the queue lost, and adds none twice.
 * @throws UserError when the awaited run was cancelled or has failed
 */
export async function reconcile(options: ReconcileOptions, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([signal, over.signal]);
  const stop = (error: unknown): void => over.abort(error);
  await Promise.all([
    // Concurrently, since the other steps may take longer than the timeout for abandoned runs.
    ...(options.runId === undefined ? [] : [attend(options, options.runId, until).catch(stop)]),
    reconcileInRounds(options, until).catch(stop),
  ]);
  over.signal.throwIfAborted();
}

/** Sends heartbeats for the run that this process waits for. */
async function attend(options: ReconcileOptions, runId: number, signal: AbortSignal): Promise<void> {
  const { pool, onError, everyMs = EVERY_MS } = options;
  await poll(() => withRetry(() => attendRun(pool, runId), signal), { everyMs, signal, onError });
}

async function reconcileInRounds(options: ReconcileOptions, signal: AbortSignal): Promise<void> {
  const { onError, everyMs = EVERY_MS } = options;
  const leadership = new Leadership(options.pool, options.guardId);
  // Runs that looked abandoned in the previous round.
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
 * Ends unattended runs of a guard that have all their scores. A run that needs parcels of a run cancelled since claims
 * them.
 */
export async function settleRuns(pool: Pool, queue: ParcelQueue, guardId: number): Promise<void> {
  for (const runId of await settledRuns(pool, guardId)) {
    if (await hasUnresolvedItems(pool, runId)) await queue.add(await adoptParcels(pool, runId));
    else await finishRun(pool, runId);
  }
}

/**
 * Claims the unscored contents of a finished run and enqueues them again.
 * @throws UserError when the run does not exist or is not finished
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
