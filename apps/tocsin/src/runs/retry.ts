import { retryQueued } from '@tocsin/pipeline';
import { getRun, type RetriedRun } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { addRunArgument } from './run-id.js';
import { numberText } from './texts.js';

/** `tocsin retry <id>`: what a run that is over has no score for is tried again. */
export function retryCommand(): Command {
  return addStoreOptions(addRunArgument(new Command('retry')))
    .description('Score what a run has no score for: its cancelled rows, and those that ended in an error.')
    .action(async (runId: number, flags: StoreFlags) => {
      await withStack(flags, async ({ pool, backend }) => {
        const retried = await retryQueued(pool, backend, runId);
        console.log(retriedText(await getRun(pool, runId).then(({ left }) => left), runId, retried));
      });
    });
}

function retriedText(left: number, runId: number, { parcels, lost }: RetriedRun): string {
  const lines = [
    parcels.length === 0
      ? `Run ${runId}: there is nothing to be tried again.`
      : `Run ${runId}: ${numberText(left)} rows wait to be scored again. See tocsin run ${runId} --watch`,
  ];
  if (lost > 0) {
    lines.push(
      `${numberText(lost)} rows ended in an error, and their tokens are no longer kept: submit the corpus again to try those.`,
    );
  }
  return lines.join('\n');
}
