import { isUserError, Loop } from '@tocsin/core';
import { type Pool, withRetry } from '@tocsin/postgres';
import {
  attendFiring,
  cancelRun,
  endedFirings,
  endFiring,
  type FiringRow,
  setFiringRun,
  setFiringState,
} from '@tocsin/store';
import type { Logger } from 'pino';
import { messageTo, type ScheduleMeasures, summarize } from './messages.js';

/** Submits a stored schedule: `submitScheduled` of @tocsin/pipeline with its destination. */
export type SubmitScheduled = (
  request: unknown,
  context: {
    /** Called with the run as soon as it exists. */
    onRun: (runId: number) => Promise<void>;
    signal: AbortSignal;
  },
) => Promise<unknown>;

export interface SubmissionOptions {
  pool: Pool;
  log: Logger;
  submit: SubmitScheduled;
  measures: ScheduleMeasures;
  /** Aborts when the process stops: unfinished submissions are left to another process. */
  signal: AbortSignal;
}

const ATTEND_EVERY_MS = 5_000;

/** Submits the corpus of a firing that this process has claimed, and leaves its run to the workers. */
export async function submitFiring(firing: FiringRow, options: SubmissionOptions): Promise<void> {
  const { pool, log, submit, signal, measures } = options;
  if (await wasSubmitted(pool, firing)) return;
  // Resumed from another process: its delay is not reported again.
  if (firing.takes === 1) measures.onLag(Math.max(0, Date.now() - firing.dueAt.getTime()) / 1000);
  const lost = new AbortController();
  const attend = async (): Promise<void> => {
    if (!(await attendFiring(pool, firing))) lost.abort(new Error('another process has claimed the firing'));
  };
  const attending = new Loop(attend, {
    everyMs: ATTEND_EVERY_MS,
    pauseFirst: true,
    // Retried; if all retries fail, another process claims the firing.
    onError: ({ message: reason }) =>
      log.warn({ firing: firing.id, reason }, 'cannot renew the lease of a firing'),
  });
  let run: number | null = null;
  try {
    const onRun = async (runId: number): Promise<void> => {
      run = runId;
      await withRetry(() => setFiringRun(pool, firing, runId));
    };
    await submit(firing.request, { onRun, signal: AbortSignal.any([signal, lost.signal]) });
    await withRetry(() => setFiringState(pool, firing, 'scoring'));
    log.info({ schedule: firing.schedule, firing: firing.id, run }, 'corpus submitted');
  } catch (error) {
    if (signal.aborted || lost.signal.aborted) await withRetry(() => setFiringState(pool, firing, 'due'));
    else await failFiring(firing, run, error, options);
  } finally {
    await attending.close();
  }
}

/** Whether the previous owner had submitted the whole run; a partial run is undone. */
async function wasSubmitted(pool: Pool, firing: FiringRow): Promise<boolean> {
  const { runId, runState } = firing;
  if (runId === null) return false;
  if (runState === 'scoring' || runState === 'done') {
    await withRetry(() => setFiringState(pool, firing, 'scoring'));
    return true;
  }
  await withRetry(() => cancelRun(pool, runId));
  return false;
}

async function failFiring(
  firing: FiringRow,
  run: number | null,
  error: unknown,
  { pool, log, measures }: SubmissionOptions,
): Promise<void> {
  const mistake = isUserError(error);
  // An internal error may contain anything, and only goes to the log.
  const reason = mistake ? error.message : 'an unexpected error; see the log of the scheduler';
  const message = messageTo(firing, firing, { type: 'run.failed', data: { run, reason } });
  const end = { state: 'failed', reason, message } as const;
  if (await withRetry(() => endFiring(pool, firing, end))) measures.onFiring('failed');
  const entry = { schedule: firing.schedule, firing: firing.id, run, reason };
  if (mistake) log.error(entry, 'the corpus was not submitted');
  else log.error({ ...entry, err: error }, 'the corpus was not submitted');
}

export interface EndOptions {
  pool: Pool;
  log: Logger;
  measures: ScheduleMeasures;
}

/**
 * Finishes the firings whose runs have ended. Summary and message are stored in one transaction, so a process killed here
 * has done both or neither.
 * @returns the number of firings
 */
export async function endFirings(options: EndOptions): Promise<number> {
  const ended = await endedFirings(options.pool);
  for (const firing of ended) {
    if (firing.runState === 'done' && firing.runId !== null) await finish(firing, firing.runId, options);
    else await fail(firing, options);
  }
  return ended.length;
}

async function finish(firing: FiringRow, runId: number, { pool, log, measures }: EndOptions): Promise<void> {
  const summary = await summarize(pool, firing, runId);
  const message = messageTo(firing, firing, { type: 'run.done', data: summary });
  if (!(await endFiring(pool, firing, { state: 'done', summary, message }))) return;
  measures.onFiring('done');
  const { rows, new: fresh, flagged, newFlagged } = summary;
  log.info(
    { schedule: firing.schedule, firing: firing.id, run: runId, rows, new: fresh, flagged, newFlagged },
    'scheduled run done',
  );
}

async function fail(firing: FiringRow, { pool, log, measures }: EndOptions): Promise<void> {
  const { runId: run, runReason } = firing;
  const ended = firing.runState === 'failed' ? 'has failed' : 'was cancelled';
  const why = runReason === null ? '' : `: ${runReason}`;
  const reason = run === null ? 'its run was removed' : `run ${run} ${ended}${why}`;
  const message = messageTo(firing, firing, { type: 'run.failed', data: { run, reason } });
  if (!(await endFiring(pool, firing, { state: 'failed', reason, message }))) return;
  measures.onFiring('failed');
  log.warn({ schedule: firing.schedule, firing: firing.id, reason }, 'scheduled run failed');
}
