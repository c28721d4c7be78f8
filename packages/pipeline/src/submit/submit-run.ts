import { DEFAULT_RETENTION, type Retention, reasonOf } from '@tocsin/core';
import { absoluteSources, findSources } from '@tocsin/corpus';
import type { OpenGuard } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import { ParcelQueue, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { cancelRun, createRun, failRun, leaveRun, type RegisteredGuard, registerGuard } from '@tocsin/store';
import type { Telemetry } from '@tocsin/telemetry';
import { reconcile, settleRuns } from '../runs/reconcile.js';
import { type SubmittedFiles, submitFiles } from './submit-files.js';

/** Database and queue of a submission. */
export interface Destination {
  /** Pool of a migrated database. */
  pool: Pool;
  backend: QueueBackend;
  telemetry: Telemetry;
}

/** A corpus and the guard to score it with. */
export interface Submission
  extends Pick<
    SubmittedFiles,
    'sources' | 'reading' | 'stdin' | 'keep' | 'onRow' | 'onNotice' | 'shownNote'
  > {
  guard: OpenGuard;
  /** Name of the run. */
  name: string;
  /** The patterns of the sources, for display: files, directories and globs. */
  given?: readonly string[];
  /** Rows with at least this score are flagged. Default: the artifact's. */
  threshold?: number;
  /** Whose texts stay in the database after the run. */
  retain?: Retention;
  /** uuid of the submitting key. */
  ownerKey?: string;
  /** Called with the run as soon as it exists; awaited before its first row. */
  onRun?: (runId: number) => void | Promise<void>;
  /** Maps an error to the one shown to users: an upload's error names paths of the server. */
  shownError?: (error: unknown) => unknown;
  /** Aborts the submission: the run is cancelled. */
  signal: AbortSignal;
}

/** `submitRun` bound to a destination. */
export type Submit = (submission: Submission) => Promise<number>;

/**
 * Submits a corpus and leaves its run to the workers. The command line, the API and schedules all submit through this
 * function. It sends heartbeats for the run while it submits: when this process is killed, the run counts as abandoned and is
 * cancelled, and submitting the same corpus again reuses its scores. When the corpus cannot be read completely, the run
 * fails with the reason.
 * @returns the run's id
 * @throws UserError for errors in the corpus
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
  // A retry may create a second run: the first gets no heartbeats, and workers cancel it.
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
    // A fully cached corpus needs no worker.
    await withRetry(() => settleRuns(pool, queue, guardId), signal);
    return runId;
  } catch (thrown) {
    // The signal's reason is the cause; the error only shows where it was noticed.
    const error: unknown = signal.aborted ? signal.reason : thrown;
    const shown = shownError?.(error) ?? error;
    // A run that was ended meanwhile is left unchanged.
    if (submission.signal.aborted) await withRetry(() => cancelRun(pool, runId));
    else await withRetry(() => failRun(pool, runId, reasonOf(shown)));
    throw shown;
  } finally {
    over.abort(new Error('the corpus is submitted'));
    await attending;
    await queue.close();
  }
}

/** The id of a guard in this database; registers it if necessary. */
export function registerOpenGuard(pool: Pool, guard: OpenGuard): Promise<RegisteredGuard> {
  return withRetry(() => registerGuard(pool, guard.fingerprint, guardText(guard)));
}

/** Display name of a guard in lists and messages: `starter, float32`. */
export function guardText({ pinned, precision }: Pick<OpenGuard, 'pinned' | 'precision'>): string {
  const { guard, backbone } = pinned;
  return `${guard}${backbone === undefined ? '' : ` on ${backbone}`}, ${precision}`;
}
