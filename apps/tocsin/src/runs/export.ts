import { isOpen, UserError } from '@tocsin/core';
import {
  checkOutput,
  filesOf,
  outputFiles,
  refuseInputAsOutput,
  scoreFormat,
  writerFor,
} from '@tocsin/corpus';
import { exportScores } from '@tocsin/pipeline';
import { getRun, runSources } from '@tocsin/store';
import { Command } from 'commander';
import { probability } from '../options/guard-options.js';
import { addOutputOptions, type OutputFlags, outputOptions } from '../options/output-options.js';
import { addStoreOptions, type StoreFlags, withStackUntil } from '../options/store-options.js';
import { EXIT, untilInterrupted } from '../terminal/interrupt.js';
import { addRunArgument } from './texts.js';

interface ExportFlags extends StoreFlags, OutputFlags {
  withText?: boolean;
  threshold?: number;
}

/** Runs from before thresholds were stored have none. */
const DEFAULT_THRESHOLD = 0.5;

/** `tocsin runs export <id>`: the scores of a finished run. */
export function exportCommand(): Command {
  return addOutputOptions(addStoreOptions(addRunArgument(new Command('export'))))
    .description('Write the scores of a finished run, in the order of its rows')
    .option('--threshold <p>', "count scores from this one up as harmful (default: the run's)", probability)
    .option('--with-text', 'add the texts that were retained (JSON Lines only)')
    .addHelpText('after', '\nExit code: 0 every row has a score, 2 some rows have none, 1 failed.')
    .action(async (runId: number, flags: ExportFlags) => {
      process.exitCode = await exportRun(runId, flags);
    });
}

function isJsonLines({ out, format, outTable }: ExportFlags): boolean {
  return outTable === undefined && scoreFormat(out, format).format === 'jsonl';
}

async function exportRun(runId: number, flags: ExportFlags): Promise<number> {
  if (flags.withText === true && !isJsonLines(flags)) {
    throw new UserError('--with-text is for JSON Lines, and the output has another format', {
      hint: 'Name a .jsonl file, or leave --with-text out.',
    });
  }
  const { signal, dispose } = untilInterrupted();
  try {
    return await withStackUntil(signal, flags, async ({ pool }) => {
      const run = await getRun(pool, runId);
      if (isOpen(run.state)) {
        throw new UserError(
          `run ${runId} is not finished: ${run.left} of its ${run.rows} rows wait for a score`,
          {
            hint: `Wait for it: tocsin runs watch ${runId}`,
          },
        );
      }
      const output = outputOptions(flags, run.guard);
      const inputs = await filesOf(await runSources(pool, runId));
      for (const file of outputFiles(flags.out, flags.format)) await refuseInputAsOutput(file, inputs);
      await checkOutput(flags.out, flags.format, output);
      const threshold = flags.threshold ?? run.threshold ?? DEFAULT_THRESHOLD;
      const writer = await writerFor(flags.out, flags.format, output);
      const { notes } = await exportScores(
        { pool, runId, signal, withText: flags.withText === true },
        writer,
        threshold,
      );
      for (const note of notes) console.error(note);
      return run.scored < run.rows ? EXIT.someRejected : EXIT.ok;
    });
  } finally {
    dispose();
  }
}
