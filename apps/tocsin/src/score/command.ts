import { checkOutput, SCORE_FORMATS, writerFor } from '@tocsin/corpus';
import { UserError } from '@tocsin/errors';
import { Command, Option } from 'commander';
import { addCorpusOptions, type CorpusFlags } from '../corpus-options.js';
import { EXIT } from '../exit-codes.js';
import { addGuardOptions, type GuardFlags, probability } from '../guard-options.js';
import { untilDoneOrInterrupted } from '../interrupt.js';
import { type RetentionFlags, retentionOption } from '../retention-option.js';
import { scoreCorpus } from './score-corpus.js';
import { printSummary } from './summary.js';

interface ScoreFlags extends GuardFlags, CorpusFlags, RetentionFlags {
  out: string;
  format?: string;
  threshold?: number;
  json?: boolean;
}

/** `tocsin score`: a corpus in, one score a row out. */
export function scoreCommand(): Command {
  return addCorpusOptions(addGuardOptions(new Command('score')))
    .description('Score every row of JSONL files (.gz too; - is standard input).')
    .argument('<file...>', 'what to score')
    .option('-o, --out <file>', 'where the scores go: .jsonl, .csv, each also .gz; - is standard output', '-')
    .addOption(
      new Option('--format <format>', 'instead of what the name of --out says').choices([...SCORE_FORMATS]),
    )
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
  const openWriter = (): ReturnType<typeof writerFor> => writerFor(flags.out, flags.format);
  const check = (): Promise<void> => checkOutput(flags.out, flags.format);
  const ran = await scoreCorpus({ files, flags, check, openWriter }, interrupted);
  printSummary({ ...ran, out: flags.out }, flags);
  return ran.rejected + ran.failed > 0 ? EXIT.someRejected : EXIT.ok;
}
