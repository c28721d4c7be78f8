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
  SOURCES,
} from '../options/corpus-options.js';
import { addGuardOptions, type GuardFlags, probability } from '../options/guard-options.js';
import { addMetricsOptions, type MetricsFlags } from '../options/metrics-options.js';
import { withStackUntil } from '../options/store-options.js';
import { runJson } from '../runs/texts.js';
import { EXIT } from '../terminal/exit-codes.js';
import { untilDoneOrInterrupted } from '../terminal/interrupt.js';
import { withModelProgress } from '../terminal/model-progress.js';
import { reasonLines } from '../terminal/problems.js';
import { jsonText } from '../terminal/table.js';

interface SubmitFlags extends GuardFlags, CorpusFlags, RetentionFlags, MetricsFlags {
  threshold?: number;
  json?: boolean;
}

/** `tocsin submit`: a corpus into the store and the queue; workers score it. */
export function submitCommand(): Command {
  return addMetricsOptions(addCorpusOptions(addGuardOptions(new Command('submit'))), { env: false })
    .description(
      'Put a corpus into the queue and print its run; workers (tocsin work, tocsin start) score it.',
    )
    .argument('<corpus...>', `what to score: ${SOURCES}`)
    .option('--threshold <p>', "flagged from this score on (default: the artifact's)", probability)
    .addOption(retentionOption())
    .option('--json', 'print the run as JSON')
    .addHelpText('after', '\nExit code: 0 submitted, 2 some rows could not be read, 1 failed.')
    .action(async (files: string[], flags: SubmitFlags) => {
      process.exitCode = await untilDoneOrInterrupted((signal) => submit(files, flags, signal));
    });
}

async function submit(files: string[], flags: SubmitFlags, interrupted: AbortSignal): Promise<number> {
  const corpus = await openCorpus(files, flags);
  const { guard, threshold, retain } = flags;
  const { run, reasons } = await withModelProgress((shown) =>
    runProducer({
      ...corpus,
      given: files,
      guard,
      threshold,
      retain,
      signal: interrupted,
      onNotice: printNotice,
      opening: { ...flags, ...shown },
      withDestination: (work) => withStackUntil(interrupted, flags, work),
      onStep: (step) => console.error(step),
    }),
  );
  if (flags.json === true) console.log(jsonText({ ...runJson(run), run: run.id, reasons }));
  else {
    console.error([summaryText(run), ...reasonLines(reasons)].join('\n'));
    console.log(String(run.id));
  }
  if (run.state === 'failed') return EXIT.failed;
  return run.rejected > 0 ? EXIT.someRejected : EXIT.ok;
}

function summaryText(run: Run): string {
  const number = (value: number): string => value.toLocaleString('en-US');
  const counts = [
    `${number(run.rows)} rows`,
    `${number(run.known)} from cache`,
    `${number(run.duplicates)} duplicates`,
    `${number(run.rejected)} rejected`,
    `${number(run.truncated)} truncated`,
    `${number(run.left)} left to score`,
  ];
  const next =
    run.state === 'done'
      ? `It is done: tocsin export ${run.id} --out scores.jsonl`
      : run.state === 'failed'
        ? `It has failed: ${run.reason}`
        : `Workers of this guard score it (tocsin work, or tocsin start); see tocsin run ${run.id} --watch`;
  return `Run ${run.id}: ${counts.join(', ')}.\n${next}`;
}
