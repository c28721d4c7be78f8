import { UserError } from '@tocsin/core';
import { checkOutput, outputFiles, sourceLabel, writerFor } from '@tocsin/corpus';
import { Command } from 'commander';
import {
  addCorpusOptions,
  type CorpusFlags,
  type RetentionFlags,
  retentionOption,
  SOURCES,
} from '../options/corpus-options.js';
import { addGuardOptions, type GuardFlags, probability } from '../options/guard-options.js';
import { addMetricsOptions, type MetricsFlags } from '../options/metrics-options.js';
import { addOutputOptions, type OutputFlags, outputOptions } from '../options/output-options.js';
import { EXIT } from '../terminal/exit-codes.js';
import { untilDoneOrInterrupted } from '../terminal/interrupt.js';
import { scoreCorpus } from './score-corpus.js';
import { printSummary } from './summary.js';

interface ScoreFlags extends GuardFlags, CorpusFlags, OutputFlags, RetentionFlags, MetricsFlags {
  threshold?: number;
  json?: boolean;
}

/** `tocsin score`: a corpus in, one score a row out. */
export function scoreCommand(): Command {
  return addMetricsOptions(addOutputOptions(addCorpusOptions(addGuardOptions(new Command('score')))), {
    env: false,
  })
    .description('Score every row of a corpus.')
    .argument('<corpus...>', `what to score: ${SOURCES}`)
    .option('--threshold <p>', "harmful from this score on (default: the artifact's)", probability)
    .addOption(retentionOption())
    .option('--json', 'print the summary as JSON on standard output')
    .addHelpText('after', '\nExit code: 0 every row has a score, 2 some rows could not be scored, 1 failed.')
    .action(async (files: string[], flags: ScoreFlags) => {
      process.exitCode = await untilDoneOrInterrupted((signal) => score(files, flags, signal));
    });
}

async function score(files: string[], flags: ScoreFlags, interrupted: AbortSignal): Promise<number> {
  if (flags.json === true && flags.out === '-') {
    throw new UserError('--json and the scores would both go to standard output', {
      hint: 'Name a file with --out.',
    });
  }
  const output = outputOptions(flags, flags.guard);
  const openWriter = (): ReturnType<typeof writerFor> => writerFor(flags.out, flags.format, output);
  const check = (): Promise<void> => checkOutput(flags.out, flags.format, output);
  const outputs = outputFiles(flags.out, flags.format);
  const ran = await scoreCorpus({ files, flags, outputs, check, openWriter }, interrupted);
  printSummary({ ...ran, out: sourceLabel(flags.out) }, flags);
  if (ran.state === 'failed') return EXIT.failed;
  return ran.rejected + ran.failed > 0 ? EXIT.someRejected : EXIT.ok;
}
