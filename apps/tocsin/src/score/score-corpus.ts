import { checkOutput, checkSources, readJsonl } from '@tocsin/corpus';
import { type OpenGuard, openGuard, Tokenizer } from '@tocsin/engine';
import { UserError } from '@tocsin/errors';
import { submitCorpus } from '@tocsin/producer';
import { runCounts, setRunState, withRetry } from '@tocsin/store';
import { openStack, type Stack } from '../stack.js';
import type { ScoreFlags } from './command.js';
import { exportScores } from './export-scores.js';
import { LocalRun } from './local-run.js';
import { openProgress, type Progress } from './progress.js';
import type { Summary } from './summary.js';
import { type Submission, watchRun } from './watch-run.js';

/**
 * Scores a corpus through the whole pipeline: submits it, lets a worker process score it, waits, and writes the
 * scores in the order of the rows.
 *
 * @param interrupted stops it cleanly: what is scored stays, and the same call later goes on from there
 */
export async function scoreCorpus(
  files: string[],
  flags: ScoreFlags,
  interrupted: AbortSignal,
): Promise<Summary> {
  if (flags.json === true && flags.out === '-') {
    throw new UserError('--json and the scores would both go to standard output', {
      hint: 'Name a file with --out.',
    });
  }
  const { bytes } = await checkSources(files);
  await checkOutput(flags.out, flags.format);
  const progress = openProgress();
  const stopping = (): void =>
    progress.note('Stopping: what is being scored is finished first (once more to stop at once)');
  interrupted.addEventListener('abort', stopping, { once: true });
  try {
    const onEvent = ({ message }: { message: string }): void => progress.note(message);
    const guard = await openGuard(flags.guard, { ...flags, signal: interrupted, onEvent });
    const stack = await openStack({ dataDir: flags.dataDir, onTrouble: (message) => progress.note(message) });
    try {
      return await runThrough(stack, guard, { files, bytes }, flags, progress, interrupted);
    } finally {
      await stack.close();
    }
  } finally {
    interrupted.removeEventListener('abort', stopping);
    progress.stop();
  }
}

async function runThrough(
  stack: Stack,
  guard: OpenGuard,
  corpus: { files: string[]; bytes: number | undefined },
  flags: ScoreFlags,
  progress: Progress,
  interrupted: AbortSignal,
): Promise<Summary> {
  const run = await LocalRun.open(stack, guard, corpus.files.join(' '), flags, progress, interrupted);
  let outcome: 'done' | 'cancelled' = 'cancelled';
  try {
    const submission: Submission = { rows: 0, fraction: 0, done: false };
    const [parcels] = await Promise.all([
      watchRun(run, submission, progress),
      submit(run, guard, corpus, flags, submission),
    ]);
    const scoringSeconds = run.workingSeconds;
    progress.stop();

    const threshold = flags.threshold ?? guard.artifact.defaultThreshold;
    const exported = await exportScores(run, flags.out, flags.format, threshold);
    const counts = await withRetry(() => runCounts(run.pool, run.runId), run.signal);
    outcome = 'done';
    return {
      rows: counts.rows,
      scored: counts.fresh,
      fromCache: counts.known,
      duplicates: counts.duplicates,
      rejected: counts.rejected,
      ...exported,
      threshold,
      tokens: parcels.tokensDone,
      scoringSeconds,
      tokensPerSecond: scoringSeconds === 0 ? 0 : parcels.tokensDone / scoringSeconds,
      guard: flags.guard,
      fingerprint: guard.fingerprint,
      out: flags.out,
    };
  } catch (error) {
    // What made the run's signal abort is the reason; the error is only where that was noticed.
    throw run.signal.aborted ? run.signal.reason : error;
  } finally {
    await run.close(outcome);
  }
}

async function submit(
  run: LocalRun,
  guard: OpenGuard,
  corpus: { files: string[]; bytes: number | undefined },
  flags: ScoreFlags,
  submission: Submission,
): Promise<void> {
  const tokenizer = await Tokenizer.open(guard.compiled.tokenizerFile, guard.artifact.maxLength);
  const { bytes } = corpus;
  const rows = readJsonl(corpus.files, {
    fields: {
      text: flags.textField,
      prompt: flags.promptField,
      response: flags.responseField,
      id: flags.idField,
    },
    signal: run.signal,
    onBytes: (read) => {
      if (bytes !== undefined && bytes > 0) submission.fraction = read / bytes;
    },
  });
  await submitCorpus(rows, {
    ...run,
    tokenizer,
    onWindow: (stored, parcels) => {
      submission.rows = stored;
      if (parcels > 0) run.needWorker();
    },
  });
  await withRetry(() => setRunState(run.pool, run.runId, 'scoring'), run.signal);
  submission.done = true;
}
