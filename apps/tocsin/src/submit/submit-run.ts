import { reasonOf } from '@tocsin/core';
import type { OpenGuard } from '@tocsin/engine';
import { reconcile, registerOpenGuard, settleRuns } from '@tocsin/pipeline';
import { withRetry } from '@tocsin/postgres';
import { ParcelQueue, queueNameOf } from '@tocsin/queue';
import { cancelRun, createRun, DEFAULT_RETENTION, failRun, leaveRun } from '@tocsin/store';
import type { OpenCorpus } from '../options/corpus-options.js';
import type { RetentionFlags } from '../options/retention-option.js';
import { type SubmittedFiles, submitFiles } from '../score/submit-files.js';
import type { Stack } from '../services/stack.js';

export interface SubmitRunOptions extends Pick<SubmittedFiles, 'stdin' | 'keep' | 'onRow' | 'onNotice'> {
  stack: Stack;
  guard: OpenGuard;
  corpus: OpenCorpus;
  flags: RetentionFlags & { threshold?: number };
  /** uuid of the key that it is submitted with. */
  ownerKey?: string | undefined;
  interrupted: AbortSignal;
  /** Told the run as soon as there is one, before its first row. */
  onRun?: (runId: number) => Promise<void>;
  /** What people are told instead of an error that was thrown: of an upload, it names files that only the server knows. */
  shownError?: (error: unknown) => unknown;
}

/**
 * Submits a corpus and leaves its run to the workers. While it submits it attends the run: when this process is killed,
 * the run is taken for abandoned and cancelled, and the same command begins another, which goes on from what is scored.
 * When the corpus cannot be read to its end, the run fails with the reason.
 * @returns the run
 */
export async function submitRun(options: SubmitRunOptions): Promise<number> {
  const { stack, guard, corpus, flags, ownerKey, interrupted, onRun, shownError, ...seen } = options;
  const { pool, telemetry } = stack;
  const { id: guardId, queue: name } = await registerOpenGuard(pool, guard);
  const retain = flags.retain ?? DEFAULT_RETENTION;
  const threshold = flags.threshold ?? guard.artifact.defaultThreshold;
  // If it is repeated, there may be two: nobody attends the first, and the workers cancel it.
  const runId = await withRetry(() => createRun(pool, guardId, corpus.name, { threshold, retain, ownerKey }));
  await onRun?.(runId);
  const queue = new ParcelQueue(stack.backend, queueNameOf(name));
  const over = new AbortController();
  const signal = AbortSignal.any([interrupted, over.signal]);
  const attending = reconcile({ pool, queue, guardId, runId }, signal).catch((error: unknown) => {
    over.abort(error);
  });
  try {
    const run = { pool, queue, guardId, runId, texts: retain !== 'none', signal, telemetry };
    await submitFiles(run, guard, { corpus, ...seen });
    await withRetry(() => leaveRun(pool, runId), signal);
    // A corpus whose rows are all scored needs no worker to be done.
    await withRetry(() => settleRuns(pool, queue, guardId), signal);
    return runId;
  } catch (thrown) {
    // What made the signal abort is the reason; the error is only where that was noticed.
    const error: unknown = signal.aborted ? signal.reason : thrown;
    const shown = shownError?.(error) ?? error;
    // One that somebody has ended meanwhile stays as it is.
    if (interrupted.aborted) await withRetry(() => cancelRun(pool, runId));
    else await withRetry(() => failRun(pool, runId, reasonOf(shown)));
    throw shown;
  } finally {
    over.abort(new Error('the corpus is submitted'));
    await attending;
    await queue.close();
  }
}
