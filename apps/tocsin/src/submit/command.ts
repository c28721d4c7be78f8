import { countText } from '@tocsin/evaluate';
import { runProducer } from '@tocsin/producer';
import type { Run } from '@tocsin/store';
import { Command } from 'commander';
import {
  addCorpusOptions,
  type CorpusFlags,
  openCorpus,
  printNotice,
  type RetentionFlags,
  retentionOption,
  runName,
  SOURCES,
} from '../options/corpus-options.js';
import { addGuardOptions, type GuardFlags } from '../options/guard-options.js';
import { addMetricsOptions, type MetricsFlags } from '../options/metrics-options.js';
import { withStackUntil } from '../options/store-options.js';
import { probability } from '../options/values.js';
import { runJson } from '../runs/texts.js';
import { EXIT, untilDoneOrInterrupted } from '../terminal/interrupt.js';
import { withModelProgress } from '../terminal/model-progress.js';
import { reasonLines } from '../terminal/problems.js';
import { jsonText } from '../terminal/table.js';

interface SubmitFlags extends GuardFlags, CorpusFlags, RetentionFlags, MetricsFlags {
  threshold?: number;
  name?: string;
  json?: boolean;
  quiet?: boolean;
}

/** `tocsin submit`: submits a corpus to be scored by the workers. */
export function submitCommand(): Command {
  return addMetricsOptions(addCorpusOptions(addGuardOptions(new Command('submit'))), { env: false })
    .description('Queue a corpus for workers to score, and print the id of its run')
    .argument('<corpus...>', SOURCES)
    .option('--threshold <p>', "count scores from this one up as harmful (default: the guard's)", probability)
    .addOption(retentionOption())
    .option('--name <name>', 'name of the run (default: the names of the sources)', runName)
    .option('--json', 'print the run as JSON')
    .option('--quiet', 'print only the id of the run, and problems')
    .addHelpText('after', HELP)
    .action(async (files: string[], flags: SubmitFlags) => {
      process.exitCode = await untilDoneOrInterrupted((signal) => submit(files, flags, signal));
    });
}

const HELP = `
Examples:
  $ tocsin submit rows.jsonl --guard starter
  $ tocsin runs watch "$(tocsin submit 'logs/*.jsonl.gz' --guard starter --quiet)"
  $ tocsin submit "$DATABASE" --query-file new.sql --guard starter --name nightly

Workers (tocsin work, tocsin start) score the run.
Exit code: 0 submitted, 2 some rows could not be read, 1 failed, 130 interrupted.`;

async function submit(files: string[], flags: SubmitFlags, interrupted: AbortSignal): Promise<number> {
  const corpus = await openCorpus(files, flags);
  const { guard, threshold, retain, quiet = false } = flags;
  const submitted = (shown: object) =>
    runProducer({
      ...corpus,
      name: flags.name ?? corpus.name,
      given: files,
      guard,
      threshold,
      retain,
      signal: interrupted,
      onNotice: printNotice,
      opening: { ...flags, ...shown },
      withDestination: (work) => withStackUntil(interrupted, flags, work),
      onStep: quiet ? undefined : (step) => console.error(step),
    });
  const { run, reasons } = await withModelProgress(submitted, { quiet });
  if (flags.json === true) console.log(jsonText({ ...runJson(run), run: run.id, reasons }));
  else {
    const lines = [...(quiet && run.state !== 'failed' ? [] : [summaryText(run)]), ...reasonLines(reasons)];
    if (lines.length > 0) console.error(lines.join('\n'));
    console.log(String(run.id));
  }
  if (run.state === 'failed') return EXIT.failed;
  return run.rejected > 0 ? EXIT.someRejected : EXIT.ok;
}

function summaryText(run: Run): string {
  const counts = [
    `${countText(run.rows)} rows`,
    `${countText(run.known)} from cache`,
    `${countText(run.duplicates)} duplicates`,
    `${countText(run.rejected)} rejected`,
    `${countText(run.truncated)} truncated`,
    `${countText(run.left)} left to score`,
  ];
  const next =
    run.state === 'done'
      ? `Every row already has a score. Export them: tocsin runs export ${run.id} --out scores.jsonl`
      : run.state === 'failed'
        ? `The run failed: ${run.reason}`
        : `Workers (tocsin work, tocsin start) score it. Watch it: tocsin runs watch ${run.id}`;
  return `Run ${run.id}: ${counts.join(', ')}.\n${next}`;
}
