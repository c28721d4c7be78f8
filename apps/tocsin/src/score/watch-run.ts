import { poll } from '@tocsin/core';
import { withRetry } from '@tocsin/postgres';
import { adoptParcels, hasUnresolvedItems, type RunProgress, runProgress } from '@tocsin/store';
import type { LocalRun } from './local-run.js';
import type { Progress } from './progress.js';

/** How far the submission of a corpus is. Whoever submits keeps it up to date. */
export interface Submission {
  rows: number;
  /** Of the corpus, 0 to 1; 0 when nobody can know (standard input). */
  fraction: number;
  done: boolean;
}

const LOOK_EVERY_MS = 300;
/** Looking may take this share of the database's time. */
const SHARE_OF_TIME = 0.2;

/**
 * Shows a run's progress until its last item is scored.
 * @returns what the run's parcels held
 */
export async function watchRun(
  run: LocalRun,
  submission: Submission,
  progress: Progress,
): Promise<RunProgress> {
  const { pool, runId, signal } = run;
  const look = async (): Promise<RunProgress | undefined> => {
    // Asked before the look: a submission that ends in between has parcels which the look does not know of.
    const submitted = submission.done;
    const state = await withRetry(() => runProgress(pool, runId), signal);
    progress.show({
      rowsDone: submission.rows - (state.contents - state.contentsDone),
      tokensDone: state.tokensDone,
      tokensTotal: submitted || submission.fraction === 0 ? state.tokens : state.tokens / submission.fraction,
    });
    return submitted && state.parcelsWaiting === 0 && (await nothingLeft(run)) ? state : undefined;
  };
  return poll(look, { everyMs: LOOK_EVERY_MS, shareOfTime: SHARE_OF_TIME, signal });
}

/** Items may wait for parcels of other runs. Those of a run that was cancelled since are taken up. */
async function nothingLeft({ pool, queue, runId, signal, needWorker }: LocalRun): Promise<boolean> {
  if (!(await withRetry(() => hasUnresolvedItems(pool, runId), signal))) return true;
  const adopted = await withRetry(() => adoptParcels(pool, runId), signal);
  await withRetry(() => queue.add(adopted), signal);
  needWorker();
  return false;
}
