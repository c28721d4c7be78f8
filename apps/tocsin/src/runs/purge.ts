import { UserError } from '@tocsin/errors';
import { type PurgedRuns, purgeableRuns, purgeRuns, purgeScores, purgeTexts } from '@tocsin/store';
import { Command, Option } from 'commander';
import { duration } from '../duration.js';
import type { Stack } from '../stack.js';
import { addStoreOptions, type StoreFlags, withStack } from '../store-options.js';
import { runId } from './run-id.js';
import { numberText } from './texts.js';

interface PurgeFlags extends StoreFlags {
  run?: number;
  olderThan?: number;
  texts?: boolean;
  scores?: boolean;
  yes?: boolean;
}

const DAY_MS = 86_400_000;

/** `tocsin purge`: deletes runs that are over, or only their texts, or their scores too. */
export function purgeCommand(): Command {
  return addStoreOptions(new Command('purge'))
    .description('Delete runs that are over: their rows and texts. Scores stay, unless --scores.')
    .option('--run <id>', 'this run', runId)
    .option('--older-than <duration>', 'all runs that ended so long ago, e.g. 30d', duration)
    .addOption(new Option('--texts', 'only the texts, and tokens kept for a retry').conflicts('scores'))
    .option('--scores', 'also the scores of contents that no other run has')
    .option('--yes', 'do it: without this, it is only said what would go')
    .action(async (flags: PurgeFlags) => {
      const which = whichRuns(flags);
      await withStack(flags, (stack) => purge(stack, which, flags));
    });
}

function whichRuns({ run, olderThan }: PurgeFlags): PurgedRuns {
  if (run !== undefined && olderThan === undefined) return { runId: run };
  if (olderThan !== undefined && run === undefined) return { olderThanDays: olderThan / DAY_MS };
  throw new UserError('which runs? Name one with --run, or an age with --older-than (and not both)');
}

async function purge({ pool }: Stack, which: PurgedRuns, flags: PurgeFlags): Promise<void> {
  const runs = await purgeableRuns(pool, which);
  const what =
    flags.texts === true ? 'texts' : flags.scores === true ? 'rows, texts and scores' : 'rows and texts';
  if (runs.length === 0) {
    console.log('There is nothing to be deleted: no run ended so long ago.');
    return;
  }
  const named = `${what} of ${runs.length === 1 ? `run ${runs[0]}` : `${runs.length} runs (${runs.join(', ')})`}`;
  if (flags.yes !== true)
    throw new UserError(`the ${named} would be deleted`, { hint: 'Add --yes to do it.' });
  if (flags.texts === true) {
    console.log(`Deleted: ${numberText(await purgeTexts(pool, runs))} texts.`);
    return;
  }
  const scores = flags.scores === true ? await purgeScores(pool, runs) : undefined;
  const rows = await purgeRuns(pool, runs);
  console.log(
    `Deleted: ${runs.length} runs with ${numberText(rows)} rows${scores === undefined ? '' : `, ${numberText(scores)} scores`}.`,
  );
}
