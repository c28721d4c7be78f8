import { DEFAULT_FIELDS, SCORE_FORMATS } from '@tocsin/corpus';
import { Command, Option } from 'commander';
import { EXIT } from '../exit-codes.js';
import { addGuardOptions, type GuardFlags, probability } from '../guard-options.js';
import { Interrupted, untilInterrupted } from '../interrupt.js';
import { scoreCorpus } from './score-corpus.js';
import { printSummary } from './summary.js';

export interface ScoreFlags extends GuardFlags {
  out: string;
  format?: string;
  threshold?: number;
  textField: string;
  promptField: string;
  responseField: string;
  idField: string;
  dataDir?: string;
  json?: boolean;
}

/** `tocsin score`: a corpus in, one score a row out. */
export function scoreCommand(): Command {
  return addGuardOptions(new Command('score'))
    .description('Score every row of JSONL files (.gz too; - is standard input).')
    .argument('<file...>', 'what to score')
    .option('-o, --out <file>', 'where the scores go: .jsonl, .csv, each also .gz; - is standard output', '-')
    .addOption(
      new Option('--format <format>', 'instead of what the name of --out says').choices([...SCORE_FORMATS]),
    )
    .option('--threshold <p>', "harmful from this score on (default: the artifact's)", probability)
    .option('--text-field <name>', 'the field that holds a text', DEFAULT_FIELDS.text)
    .option('--prompt-field <name>', 'the field that holds a prompt', DEFAULT_FIELDS.prompt)
    .option('--response-field <name>', 'the field that holds the response to it', DEFAULT_FIELDS.response)
    .option('--id-field <name>', "the field that holds a row's key", DEFAULT_FIELDS.id)
    .option('--data-dir <dir>', 'of the embedded database, used when DATABASE_URL is unset (TOCSIN_DATA)')
    .option('--json', 'print the summary as JSON on standard output')
    .addHelpText('after', '\nExit code: 0 every row has a score, 2 some rows could not be scored, 1 failed.')
    .action(async (files: string[], flags: ScoreFlags) => {
      process.exitCode = await score(files, flags);
    });
}

async function score(files: string[], flags: ScoreFlags): Promise<number> {
  const { signal, dispose } = untilInterrupted();
  try {
    const summary = await scoreCorpus(files, flags, signal);
    printSummary(summary, flags);
    return summary.rejected + summary.failed > 0 ? EXIT.someRejected : EXIT.ok;
  } catch (error) {
    if (!(signal.aborted && signal.reason instanceof Interrupted)) throw error;
    console.error('Stopped. The scores so far are kept: the same command goes on from here.');
    return EXIT.interrupted;
  } finally {
    dispose();
  }
}
