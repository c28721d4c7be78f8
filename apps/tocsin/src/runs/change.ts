import { countText } from '@tocsin/evaluate';
import type { RetriedRun } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { addRunArgument } from './texts.js';

/** `tocsin runs cancel <id>`. */
export function cancelCommand(): Command {
  return addStoreOptions(addRunArgument(new Command('cancel')))
    .description('Cancel a run. Its scores stay; tocsin runs retry scores the rest')
    .action(async (runId: number, flags: StoreFlags) => {
      const { cancelRun, runHead } = await import('@tocsin/store');
      const ended = await withStack(flags, async ({ pool }) =>
        (await cancelRun(pool, runId)) ? undefined : (await runHead(pool, runId)).state,
      );
      console.log(
        ended === undefined
          ? `Run ${runId} is cancelled.`
          : `Run ${runId} has already ended: it is ${ended}.`,
      );
    });
}

/** `tocsin runs retry <id>`. */
export function retryCommand(): Command {
  return addStoreOptions(addRunArgument(new Command('retry')))
    .description('Score the rows that have no score: cancelled rows, and rows that ended in an error')
    .action(async (runId: number, flags: StoreFlags) => {
      const [{ retryQueued }, { getRun }] = await Promise.all([
        import('@tocsin/pipeline'),
        import('@tocsin/store'),
      ]);
      await withStack(flags, async ({ pool, backend }) => {
        const retried = await retryQueued(pool, backend, runId);
        console.log(retriedText(await getRun(pool, runId).then(({ left }) => left), runId, retried));
      });
    });
}

function retriedText(left: number, runId: number, { parcels, lost }: RetriedRun): string {
  const lines = [
    parcels.length === 0
      ? `Run ${runId}: there is nothing to retry.`
      : `Run ${runId}: ${countText(left)} rows wait for a score. Watch them: tocsin runs watch ${runId}`,
  ];
  if (lost > 0) {
    lines.push(
      `${countText(lost)} rows have an error, and their tokens are no longer stored: submit the corpus again to retry them.`,
    );
  }
  return lines.join('\n');
}
