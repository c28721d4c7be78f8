import { UserError } from '@tocsin/core';
import { checkOutput, outputFiles, sourceLabel, writerFor } from '@tocsin/corpus';
import { Command } from 'commander';
import {
  addCorpusOptions,
  type CorpusFlags,
  type RetentionFlags,
  retentionOption,
  runName,
  SOURCES,
} from '../options/corpus-options.js';
import { addGuardOptions, type GuardFlags } from '../options/guard-options.js';
import { addMetricsOptions, type MetricsFlags } from '../options/metrics-options.js';
import { addOutputOptions, type OutputFlags, outputOptions } from '../options/output-options.js';
import { probability } from '../options/values.js';
import { EXIT, untilDoneOrInterrupted } from '../terminal/interrupt.js';
import { scoreCorpus } from './score-corpus.js';
import { printSummary, type ScoreSummary } from './summary.js';

export interface ScoreFlags extends GuardFlags, CorpusFlags, OutputFlags, RetentionFlags, MetricsFlags {
  threshold?: number;
  name?: string;
  json?: boolean;
  quiet?: boolean;
}

/** `tocsin score`: one score per row of a corpus. */
export function scoreCommand(): Command {
  return addMetricsOptions(addOutputOptions(addCorpusOptions(addGuardOptions(new Command('score')))), {
    env: false,
  })
    .description('Score every row of a corpus')
    .argument('<corpus...>', SOURCES)
    .option('--threshold <p>', "count scores from this one up as harmful (default: the guard's)", probability)
    .addOption(retentionOption())
    .option('--name <name>', 'name of the run (default: the names of the sources)', runName)
    .option('--json', 'print the summary as JSON on standard output')
    .option('--quiet', 'print only problems')
    .addHelpText('after', HELP)
    .action(async (files: string[], flags: ScoreFlags) => {
      process.exitCode = await untilDoneOrInterrupted((signal) => score(files, flags, signal));
    });
}

const HELP = `
Examples:
  $ tocsin score rows.jsonl --guard starter --out scores.jsonl
  $ tocsin score export.csv --delimiter ';' --text-field Message --guard starter --out scores.csv
  $ zstdcat rows.jsonl.zst | tocsin score - --guard starter --threshold 0.8 > scores.jsonl

Exit code: 0 every row has a score, 2 some rows have none, 1 failed, 130 interrupted.`;

async function score(files: string[], flags: ScoreFlags, interrupted: AbortSignal): Promise<number> {
  if (flags.json === true && flags.out === '-') {
    throw new UserError('--json and the scores would both go to standard output', {
      hint: 'Name a file with --out.',
    });
  }
  const ran = await scoreToOutput(files, flags, interrupted);
  printSummary({ ...ran, out: sourceLabel(flags.out) }, flags);
  if (ran.state === 'failed') return EXIT.failed;
  return ran.rejected + ran.failed > 0 ? EXIT.someRejected : EXIT.ok;
}

/** Scores a corpus into the output that the flags name. */
export async function scoreToOutput(
  files: string[],
  flags: ScoreFlags,
  interrupted: AbortSignal,
): Promise<ScoreSummary> {
  const output = outputOptions(flags, flags.guard);
  const openWriter = (): ReturnType<typeof writerFor> => writerFor(flags.out, flags.format, output);
  const check = (): Promise<void> => checkOutput(flags.out, flags.format, output);
  const outputs = outputFiles(flags.out, flags.format);
  return scoreCorpus({ files, flags, outputs, check, openWriter }, interrupted);
}
