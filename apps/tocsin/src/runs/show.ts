import { isOpen, poll, type RunState } from '@tocsin/core';
import { countText } from '@tocsin/evaluate';
import type { Pool } from '@tocsin/postgres';
import type { ProblemReason, ProblemRow, Run } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStackUntil } from '../options/store-options.js';
import { wholeNumber } from '../options/values.js';
import { openProgress } from '../score/progress.js';
import { EXIT, untilInterrupted } from '../terminal/interrupt.js';
import { oneLine } from '../terminal/printable.js';
import { problemText, reasonLines, reasonsOf, SHOWN_PROBLEMS } from '../terminal/problems.js';
import { fieldLines, jsonText } from '../terminal/table.js';
import { addRunArgument, runJson, tookText, whenText } from './texts.js';

interface ShowFlags extends StoreFlags {
  watch?: boolean;
  problems: number;
  json?: boolean;
}

/** `tocsin runs show <id>`. */
export function showCommand(name = 'show'): Command {
  return addShowOptions(new Command(name))
    .description('Show a run: its counts, and why rows have no score')
    .option('--watch', 'wait until the run ends, and show its progress')
    .action(async (runId: number, flags: ShowFlags) => {
      process.exitCode = await show(runId, flags);
    });
}

/** `tocsin runs watch <id>`. */
export function watchCommand(): Command {
  return addShowOptions(new Command('watch'))
    .description('Wait until a run ends, show its progress, then show the run')
    .action(async (runId: number, flags: ShowFlags) => {
      process.exitCode = await show(runId, { ...flags, watch: true });
    });
}

function addShowOptions(command: Command): Command {
  return addStoreOptions(addRunArgument(command))
    .option('--problems <n>', 'number of rows without a score to list', wholeNumber, SHOWN_PROBLEMS)
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExit code: 0; when watching, 2 if rows of the run have no score, 1 if it failed or was cancelled.',
    );
}

async function show(runId: number, flags: ShowFlags): Promise<number> {
  const { getRun, problemRows, runNotes } = await import('@tocsin/store');
  const { signal, dispose } = untilInterrupted();
  try {
    return await withStackUntil(signal, flags, async ({ pool }) => {
      if (flags.watch === true) await watchProgress(pool, runId, signal);
      if (signal.aborted) return EXIT.interrupted;
      const run = await getRun(pool, runId);
      const reasons = await reasonsOf(pool, run);
      // With fewer failures than requested, the query would scan every row of the run.
      const shown = Math.min(flags.problems, run.rejected + run.failed);
      const problems = shown === 0 ? [] : await problemRows(pool, runId, shown);
      const notes = await runNotes(pool, runId);
      if (flags.json === true) console.log(jsonText({ ...runJson(run), reasons, problems, notes }));
      else console.log([runText(run, reasons, problems), ...notesText(notes)].join('\n'));
      if (flags.watch !== true) return EXIT.ok;
      if (run.state !== 'done') return EXIT.failed;
      return run.rejected + run.failed > 0 ? EXIT.someRejected : EXIT.ok;
    });
  } finally {
    dispose();
  }
}

function runText(run: Run, reasons: readonly ProblemReason[], problems: readonly ProblemRow[]): string {
  const share = run.rows === 0 ? '' : ` (${Math.floor((100 * (run.rows - run.left)) / run.rows)} % done)`;
  const lines: [string, string][] = [
    ['run', String(run.id)],
    ['corpus', run.name],
    ['guard', `${run.guard} [${run.fingerprint.slice(0, 12)}]`],
    ['state', stateText(run)],
    ...(run.reason ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line, i): [string, string] => [i === 0 ? 'reason' : '', line]),
    ['started', `${whenText(run.createdAt)} UTC`],
    ['took', tookText(run)],
    ['rows', `${countText(run.rows)}${share}`],
    ['scored', countText(run.scored)],
    ['left', countText(run.left)],
    ['new', countText(run.fresh)],
    ['from cache', countText(run.known)],
    ['duplicates', countText(run.duplicates)],
    ['rejected', countText(run.rejected)],
    ['failed', countText(run.failed)],
    ['truncated', countText(run.truncated)],
    ['flagged', run.flagged === null ? '-' : `${countText(run.flagged)} (score >= ${run.threshold})`],
    ['retained', `texts of ${run.retain === 'flagged' ? 'flagged rows' : run.retain}`],
  ];
  const text = fieldLines(lines);
  text.push(...reasonLines(reasons));
  if (problems.length > 0) {
    text.push('Rows without a score:', ...problems.map(({ key, reason }) => `  ${problemText(key, reason)}`));
    const more = run.rejected + run.failed - problems.length;
    if (more > 0) text.push(`  and ${countText(more)} more`);
  }
  return text.join('\n');
}

function notesText(notes: readonly string[]): string[] {
  return notes.length === 0 ? [] : ['Notes on the corpus:', ...notes.map((note) => `  ${oneLine(note)}`)];
}

function stateText({ state, seenAt }: Run): string {
  if (!isOpen(state)) return state;
  return seenAt === null
    ? `${state} (workers score it; no command waits)`
    : `${state} (a command waits for it)`;
}

const LOOK_EVERY_MS = 1000;
/** Maximum share of the time spent in progress queries. */
const SHARE_OF_TIME = 0.2;

/** Shows the progress of a run until it ends or the signal aborts. */
export async function watchProgress(pool: Pool, runId: number, signal: AbortSignal): Promise<void> {
  const [{ withRetry }, { runHead, runProgress }] = await Promise.all([
    import('@tocsin/postgres'),
    import('@tocsin/store'),
  ]);
  const progress = openProgress();
  const look = async (): Promise<RunState | undefined> => {
    const { state, rows } = await withRetry(() => runHead(pool, runId), signal);
    if (!isOpen(state)) return state;
    const { contents, contentsDone, tokens, tokensDone } = await withRetry(
      () => runProgress(pool, runId),
      signal,
    );
    progress.show({
      rowsDone: rows - (contents - contentsDone),
      tokensDone,
      tokensTotal: tokens,
    });
    return undefined;
  };
  try {
    await poll(look, { everyMs: LOOK_EVERY_MS, shareOfTime: SHARE_OF_TIME, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  } finally {
    progress.stop();
  }
}
