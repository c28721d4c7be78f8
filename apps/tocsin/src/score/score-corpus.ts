import { poll } from '@tocsin/core';
import {
  absoluteSources,
  type CorpusRow,
  refuseInputAsOutput,
  type ScoreRow,
  type ScoreWriter,
} from '@tocsin/corpus';
import { type OpenGuard, openGuard } from '@tocsin/engine';
import { exportScores, submitFiles } from '@tocsin/pipeline';
import { withRetry } from '@tocsin/postgres';
import {
  adoptParcels,
  getRun,
  hasUnresolvedItems,
  type RunProgress,
  runProgress,
  setRunState,
} from '@tocsin/store';
import {
  type CorpusFlags,
  type OpenCorpus,
  openCorpus,
  type RetentionFlags,
} from '../options/corpus-options.js';
import type { GuardFlags } from '../options/guard-options.js';
import { listenAt, type MetricsFlags } from '../options/metrics-options.js';
import { openStack, type Stack } from '../services/stack.js';
import { withModelProgress } from '../terminal/model-progress.js';
import { reasonsOf } from '../terminal/problems.js';
import { LocalRun } from './local-run.js';
import { openProgress, type Progress, quietProgress } from './progress.js';
import type { ScoreSummary } from './summary.js';

/** A corpus to score and the destination of its scores. */
export interface ScoreJob {
  files: string[];
  flags: GuardFlags &
    CorpusFlags &
    RetentionFlags &
    MetricsFlags & { threshold?: number; name?: string; quiet?: boolean };
  /** Output files: none of them may be an input. */
  outputs?: readonly string[];
  /** Checks that the output can be written, before any work is done. */
  check?: () => Promise<void>;
  /** Writes all scores in row order. */
  openWriter: () => Promise<ScoreWriter>;
  /** Fields to pass to `onRow` (`row.kept`). */
  keep?: readonly string[];
  /** Called with each row before scoring; returns the row or a reject. */
  onRow?: (row: CorpusRow) => CorpusRow;
}

/**
 * Scores a corpus through the whole pipeline: submits it, runs a worker process, waits, and writes the scores in row order.
 * @param interrupted stops it cleanly: scores are kept, and the same call later resumes
 */
export async function scoreCorpus(job: ScoreJob, interrupted: AbortSignal): Promise<ScoreSummary> {
  const { files, flags } = job;
  const corpus = await openCorpus(files, flags);
  for (const output of job.outputs ?? []) await refuseInputAsOutput(output, corpus.sources);
  await job.check?.();
  const quiet = flags.quiet === true;
  const progress = quiet ? quietProgress() : openProgress();
  const stopping = (): void =>
    progress.note('Stopping after the batches in progress (press Ctrl-C again to stop at once)');
  interrupted.addEventListener('abort', stopping, { once: true });
  try {
    progress.phase('Opening the guard');
    const guard = await withModelProgress(
      (shown) => openGuard(flags.guard, { ...flags, ...shown, signal: interrupted }),
      { quiet },
    );
    progress.phase(process.env.DATABASE_URL ? 'Connecting to the database' : 'Starting the database');
    const stack = await openStack({
      dataDir: flags.dataDir,
      listen: listenAt(flags),
      interrupted,
      onWarning: (message) => progress.note(message),
    });
    try {
      // Checked again: the schema of the output table may now contain Tocsin's tables.
      await job.check?.();
      return await runThrough(stack, guard, { ...job, corpus }, progress, interrupted);
    } finally {
      await stack.close();
    }
  } finally {
    interrupted.removeEventListener('abort', stopping);
    progress.stop();
  }
}

type FoundJob = ScoreJob & { corpus: OpenCorpus };

async function runThrough(
  stack: Stack,
  guard: OpenGuard,
  job: FoundJob,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<ScoreSummary> {
  const { corpus, flags } = job;
  progress.phase('Reading rows and looking up known scores');
  const threshold = flags.threshold ?? guard.artifact.defaultThreshold;
  const run = await LocalRun.open({
    stack,
    guard,
    name: flags.name ?? corpus.name,
    sources: absoluteSources(job.files),
    threshold,
    retain: flags.retain ?? 'none',
    flags,
    progress,
    interrupted,
  });
  try {
    const submission: Submission = { rows: 0, fraction: 0, done: false };
    const [parcels] = await Promise.all([
      watchRun(run, submission, progress),
      submit(run, guard, job, submission, progress),
    ]);
    const scoringSeconds = run.workingSeconds;
    progress.stop();
    progress.phase('Finishing the run');
    const state = await run.finish();
    progress.phase('Writing the scores');

    const { notes } = await exportScores(run, await job.openWriter(), threshold);
    const counts = await withRetry(() => getRun(run.pool, run.runId), run.signal);
    return {
      run: run.runId,
      state,
      rows: counts.rows,
      scored: counts.scored,
      fresh: counts.fresh,
      fromCache: counts.known,
      duplicates: counts.duplicates,
      rejected: counts.rejected,
      failed: counts.failed,
      truncated: counts.truncated,
      flagged: counts.flagged ?? 0,
      reasons: await reasonsOf(run.pool, counts),
      notes,
      threshold,
      tokens: parcels.tokensDone,
      scoringSeconds,
      tokensPerSecond: scoringSeconds === 0 ? 0 : parcels.tokensDone / scoringSeconds,
      guard: flags.guard,
      precision: guard.precision,
      fingerprint: guard.fingerprint,
    };
  } catch (thrown) {
    // The signal's reason is the cause; the error only shows where it was noticed.
    const error: unknown = run.signal.aborted ? run.signal.reason : thrown;
    await run.stop(error);
    throw error;
  } finally {
    await run.close();
  }
}

async function submit(
  run: LocalRun,
  guard: OpenGuard,
  job: FoundJob,
  submission: Submission,
  progress: Progress,
): Promise<void> {
  await submitFiles(run, guard, {
    ...job.corpus,
    keep: job.keep,
    onRow: job.onRow,
    onNotice: (notice) => progress.note(`note: ${notice}`),
    onFraction: (fraction) => {
      submission.fraction = fraction;
    },
    onWindow: (stored, parcels) => {
      submission.rows = stored;
      if (parcels > 0) run.needWorker();
    },
  });
  await withRetry(() => setRunState(run.pool, run.runId, 'scoring'), run.signal);
  submission.done = true;
}

/** Progress of a submission, updated by the submitter. */
interface Submission {
  rows: number;
  /** Share of the corpus read, 0 to 1; 0 when unknown (standard input). */
  fraction: number;
  done: boolean;
}

const LOOK_EVERY_MS = 300;
/** Maximum share of the time spent in progress queries. */
const SHARE_OF_TIME = 0.2;

/**
 * Shows a run's progress until its last item is scored.
 * @returns statistics of the run's parcels
 */
async function watchRun(run: LocalRun, submission: Submission, progress: Progress): Promise<RunProgress> {
  const { pool, runId, signal } = run;
  const look = async (): Promise<RunProgress | undefined> => {
    // Read before the query: a submission that ends in between has parcels that the query does not see.
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

/** Items may wait for parcels of other runs. Those of a cancelled run are claimed. */
async function nothingLeft({ pool, queue, runId, signal, needWorker }: LocalRun): Promise<boolean> {
  if (!(await withRetry(() => hasUnresolvedItems(pool, runId), signal))) return true;
  const adopted = await withRetry(() => adoptParcels(pool, runId), signal);
  await withRetry(() => queue.add(adopted), signal);
  needWorker();
  return false;
}

/** A writer that collects the scores in memory, in row order. */
export class CollectedScores implements ScoreWriter {
  readonly rows: ScoreRow[] = [];
  readonly readerGone = false;

  async write(rows: readonly ScoreRow[]): Promise<void> {
    for (const row of rows) this.rows.push(row);
  }

  async finish(): Promise<void> {}

  async abort(): Promise<void> {}
}
