import { cancelRun, runHead } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { addRunArgument } from './run-id.js';

/** `tocsin cancel <id>`: no parcel of the run is scored any more. */
export function cancelCommand(): Command {
  return addStoreOptions(addRunArgument(new Command('cancel')))
    .description('Cancel a run. What is scored stays; `tocsin retry` takes up the rest.')
    .action(async (runId: number, flags: StoreFlags) => {
      const state = await withStack(flags, async ({ pool }) => {
        if (await cancelRun(pool, runId)) return 'cancelled';
        return (await runHead(pool, runId)).state;
      });
      console.log(
        state === 'cancelled'
          ? `Run ${runId} is cancelled.`
          : `Run ${runId} is over already: it is ${state}.`,
      );
    });
}
