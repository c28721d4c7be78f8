import { UserError } from '@tocsin/core';
import { countText } from '@tocsin/evaluate';
import type { Pool } from '@tocsin/postgres';
import type { PurgedRuns } from '@tocsin/store';
import { Command, Option } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { duration } from '../options/values.js';
import type { Stack } from '../services/stack.js';
import { runId } from './texts.js';

interface PurgeFlags extends StoreFlags {
  run?: number;
  olderThan?: number;
  texts?: boolean;
  scores?: boolean;
  yes?: boolean;
}

const DAY_MS = 86_400_000;

/** `tocsin runs purge`: deletes finished runs, or only their texts; on request their scores too. */
export function purgeCommand(): Command {
  return addStoreOptions(new Command('purge'))
    .description('Delete finished runs: their rows and texts. Scores stay unless --scores is given')
    .option('--run <id>', 'delete this run', runId)
    .option(
      '--older-than <duration>',
      'delete runs that ended longer ago than this, e.g. 30d, with API files and tokens of interactive requests of that age',
      duration,
    )
    .addOption(
      new Option('--texts', 'delete only the texts, and tokens stored for a retry').conflicts('scores'),
    )
    .option('--scores', 'also delete the scores of contents that no other run has')
    .option('--yes', 'delete; without it, purge only lists what it would delete')
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
  const { purgeableRuns } = await import('@tocsin/store');
  const runs = await purgeableRuns(pool, which);
  if (flags.yes !== true) {
    throw new UserError(`${wouldGo(runs, which, flags)} would be deleted`, { hint: 'Add --yes to do it.' });
  }
  const gone = [...(await deleteRuns(pool, runs, flags)), ...(await deleteOld(pool, which))];
  console.log(
    gone.length > 0 ? `Deleted: ${gone.join(', ')}.` : 'Nothing is so old: there is nothing to be deleted.',
  );
}

function wouldGo(runs: number[], which: PurgedRuns, { texts, scores }: PurgeFlags): string {
  const what = texts === true ? 'texts' : scores === true ? 'rows, texts and scores' : 'rows and texts';
  const of = runs.length === 1 ? `run ${runs[0]}` : `${runs.length} runs (${runs.join(', ')})`;
  return [
    ...(runs.length === 0 ? [] : [`the ${what} of ${of}`]),
    ...('runId' in which ? [] : ['the files of the API and the tokens of single rows that are so old']),
  ].join(', and ');
}

async function deleteRuns(pool: Pool, runs: number[], { texts, scores }: PurgeFlags): Promise<string[]> {
  if (runs.length === 0) return [];
  const { purgeRuns, purgeScores, purgeTexts } = await import('@tocsin/store');
  if (texts === true) return [`${countText(await purgeTexts(pool, runs))} texts`];
  const deleted = scores === true ? [`${countText(await purgeScores(pool, runs))} scores`] : [];
  return [`${runs.length} runs with ${countText(await purgeRuns(pool, runs))} rows`, ...deleted];
}

/** Data outside runs: files of the API, and parcels of interactive requests. */
async function deleteOld(pool: Pool, which: PurgedRuns): Promise<string[]> {
  if ('runId' in which) return [];
  const { purgeExpress, purgeFiles } = await import('@tocsin/store');
  const files = await purgeFiles(pool, which.olderThanDays);
  const parcels = await purgeExpress(pool, which.olderThanDays);
  return [
    ...(files === 0 ? [] : [`${countText(files)} files`]),
    ...(parcels === 0 ? [] : [`${countText(parcels)} parcels of single rows`]),
  ];
}
