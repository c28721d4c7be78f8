import { ParcelQueue, queueNameOf } from '@tocsin/queue';
import { getRun, guardQueue, type RetriedRun, retryRun, withRetry } from '@tocsin/store';
import { Command } from 'commander';
import type { Stack } from '../stack.js';
import { addStoreOptions, type StoreFlags, withStack } from '../store-options.js';
import { addRunArgument } from './run-id.js';
import { numberText } from './texts.js';

/** `tocsin retry <id>`: what a run that is over has no score for is tried again. */
export function retryCommand(): Command {
  return addStoreOptions(addRunArgument(new Command('retry')))
    .description('Score what a run has no score for: its cancelled rows, and those that ended in an error.')
    .action(async (runId: number, flags: StoreFlags) => {
      await withStack(flags, async (stack) => {
        const retried = await retry(stack, runId);
        console.log(retriedText(await getRun(stack.pool, runId).then(({ left }) => left), runId, retried));
      });
    });
}

async function retry({ pool, backend }: Stack, runId: number): Promise<RetriedRun> {
  const retried = await withRetry(() => retryRun(pool, runId));
  const queue = new ParcelQueue(backend, queueNameOf(await guardQueue(pool, retried.guardId)));
  try {
    await queue.add(retried.parcels);
  } finally {
    await queue.close();
  }
  return retried;
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
