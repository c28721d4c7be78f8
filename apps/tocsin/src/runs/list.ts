import { countText } from '@tocsin/evaluate';
import type { Run } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { wholeNumber } from '../options/values.js';
import { jsonText, tableText } from '../terminal/table.js';
import { runJson, tookText, whenText } from './texts.js';

const DEFAULT_LIMIT = 20;

/** `tocsin runs list`. */
export function listCommand(): Command {
  return addStoreOptions(new Command('list'))
    .description('List the newest runs')
    .option('--limit <n>', 'number of runs', wholeNumber, DEFAULT_LIMIT)
    .option('--json', 'print JSON, one run per line')
    .action(async (flags: StoreFlags & { limit: number; json?: boolean }) => {
      const { listRuns } = await import('@tocsin/store');
      const runs = await withStack(flags, ({ pool }) => listRuns(pool, flags));
      if (flags.json === true) for (const run of runs) console.log(jsonText(runJson(run)));
      else if (runs.length === 0) console.log('No runs yet. Create one with tocsin submit or tocsin score.');
      else console.log(runsTable(runs));
    });
}

function runsTable(runs: readonly Run[]): string {
  return tableText({
    head: [
      'run',
      'corpus',
      'guard',
      'state',
      'rows',
      'scored',
      'left',
      'flagged',
      'rejected',
      'started (UTC)',
      'took',
    ],
    rows: runs.map((run) => [
      String(run.id),
      shortened(run.name),
      shortened(run.guard),
      run.state,
      countText(run.rows),
      countText(run.scored),
      countText(run.left),
      run.flagged === null ? '-' : countText(run.flagged),
      countText(run.rejected),
      whenText(run.createdAt),
      tookText(run),
    ]),
  });
}

const SHOWN_CHARACTERS = 40;

/** Shortened at the start, because the end of a path says more. */
function shortened(text: string): string {
  return text.length <= SHOWN_CHARACTERS ? text : `…${text.slice(1 - SHOWN_CHARACTERS)}`;
}
