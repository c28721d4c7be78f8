import { DEFAULT_RETENTION, type Retention, reasonOf } from '@tocsin/core';
import { absoluteSources, findSources } from '@tocsin/corpus';
import type { OpenGuard } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import { ParcelQueue, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { cancelRun, createRun, failRun, leaveRun, type RegisteredGuard, registerGuard } from '@tocsin/store';
import type { Telemetry } from '@tocsin/telemetry';
import { reconcile, settleRuns } from '../runs/reconcile.js';
import { type SubmittedFiles, submitFiles } from './submit-files.js';

/** The database and the queue that runs are submitted to. */
export interface Destination {
  /** Of a migrated database. */
  pool: Pool;
  backend: QueueBackend;
  telemetry: Telemetry;
}

/** A corpus to be scored, and by what. */
export interface Submission
  extends Pick<
    SubmittedFiles,
    'sources' | 'reading' | 'stdin' | 'keep' | 'onRow' | 'onNotice' | 'shownNote'
  > {
  guard: OpenGuard;
  /** What the run is called. */
  name: string;
  /** What the sources were found by, where those are many: files, directories and patterns. */
  given?: readonly string[];
  /** Rows with at least this score count as flagged. Default: the artifact's. */
  threshold?: number;
  /** Whose texts stay in the database after the run. */
  retain?: Retention;
  /** uuid of the key that it is submitted with. */
  ownerKey?: string;
  /** Called with the run as soon as there is one; awaited before its first row. */
  onRun?: (runId: number) => void | Promise<void>;
  /** Maps an error to the one that people see: of an upload, it names files that only the server knows. */
  shownError?: (error: unknown) => unknown;
  /** Ends the submission: the run is cancelled. */
  signal: AbortSignal;
}

/** `submitRun` with its destination given. */
export type Submit = (submission: Submission) => Promise<number>;

/**
 * Submits a corpus and leaves its run to the workers. The command line, the API and schedules all submit through this.
 * While it submits it attends the run: when this process is killed, the run counts as abandoned and is cancelled, and the
 * same corpus submitted again goes on from what is scored. When the corpus cannot be read to its end, the run fails
 * with the reason.
 *
 * @returns the run's id
 * @throws UserError for what is wrong with the corpus
 * @example
 * const guard = await openGuard('starter');
 * const reading = { fields: { text: 'body' } };
 * const runId = await submitRun(destination, { guard, name: 'posts', sources: ['posts.csv'], reading, signal });
 */
export async function submitRun(destination: Destination, submission: Submission): Promise<number> {
  const { pool, backend, telemetry } = destination;
  const { guard, name, threshold, ownerKey, onRun, shownError, reading, onNotice } = submission;
  const notes: string[] = [];
  const found = await findSources(submission.sources, reading, (notice) => {
    notes.push(notice);
    onNotice?.(notice);
  });
  const { id: guardId, queue: queueId } = await registerOpenGuard(pool, guard);
  const retain = submission.retain ?? DEFAULT_RETENTION;
  const options = {
    threshold: threshold ?? guard.artifact.defaultThreshold,
    retain,
    ownerKey,
    sources: absoluteSources(submission.given ?? submission.sources),
  };
  // If it is repeated, there may be two: nothing attends the first, and the workers cancel it.
  const runId = await withRetry(() => createRun(pool, guardId, name, options));
  await onRun?.(runId);
  const queue = new ParcelQueue(backend, queueNameOf(queueId));
  const over = new AbortController();
  const signal = AbortSignal.any([submission.signal, over.signal]);
  const attending = reconcile({ pool, queue, guardId, runId }, signal).catch((error: unknown) => {
    over.abort(error);
  });
  try {
    const run = { pool, queue, guardId, runId, texts: retain !== 'none', signal, telemetry };
    const { stdin, keep, onRow, shownNote } = submission;
    const callbacks = { onRow, onNotice, shownNote };
    await submitFiles(run, guard, { ...found, reading, stdin, keep, notes, ...callbacks });
    await withRetry(() => leaveRun(pool, runId), signal);
    // A corpus whose rows are all scored needs no worker to be done.
    await withRetry(() => settleRuns(pool, queue, guardId), signal);
    return runId;
  } catch (thrown) {
    // What made the signal abort is the reason; the error is only where that was noticed.
    const error: unknown = signal.aborted ? signal.reason : thrown;
    const shown = shownError?.(error) ?? error;
    // A run that was ended meanwhile stays as it is.
    if (submission.signal.aborted) await withRetry(() => cancelRun(pool, runId));
    else await withRetry(() => failRun(pool, runId, reasonOf(shown)));
    throw shown;
  } finally {
    over.abort(new Error('the corpus is submitted'));
    await attending;
    await queue.close();
  }
}

/** Where a guard's scores are kept in this database; the guard is registered if it was not. */
export function registerOpenGuard(pool: Pool, guard: OpenGuard): Promise<RegisteredGuard> {
  return withRetry(() => registerGuard(pool, guard.fingerprint, guardText(guard)));
}

/** A guard for people, as lists and messages name it: `starter, float32`. */
export function guardText({ pinned, precision }: Pick<OpenGuard, 'pinned' | 'precision'>): string {
  const { guard, backbone } = pinned;
  return `${guard}${backbone === undefined ? '' : ` on ${backbone}`}, ${precision}`;
}
