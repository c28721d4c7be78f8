import { isOpen, UserError } from '@tocsin/core';
import { Command } from 'commander';
import { addOutputOptions, type OutputFlags, outputOptions } from '../options/output-options.js';
import { addStoreOptions, type StoreFlags, withStackUntil } from '../options/store-options.js';
import { probability } from '../options/values.js';
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

async function exportRun(runId: number, flags: ExportFlags): Promise<number> {
  const [corpus, { exportScores }, { getRun, runSources }] = await Promise.all([
    import('@tocsin/corpus'),
    import('@tocsin/pipeline'),
    import('@tocsin/store'),
  ]);
  const isJsonLines =
    flags.outTable === undefined && corpus.scoreFormat(flags.out, flags.format).format === 'jsonl';
  if (flags.withText === true && !isJsonLines) {
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
      const inputs = await corpus.filesOf(await runSources(pool, runId));
      for (const file of corpus.outputFiles(flags.out, flags.format))
        await corpus.refuseInputAsOutput(file, inputs);
      await corpus.checkOutput(flags.out, flags.format, output);
      const threshold = flags.threshold ?? run.threshold ?? DEFAULT_THRESHOLD;
      const writer = await corpus.writerFor(flags.out, flags.format, output);
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
