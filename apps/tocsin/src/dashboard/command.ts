import { UserError } from '@tocsin/core';
import { PRECISIONS } from '@tocsin/engine';
import { Command, Option } from 'commander';
import { addMachineOptions, BACKBONE_HELP, type GuardFlags } from '../options/guard-options.js';
import { addMetricsOptions, type MetricsFlags } from '../options/metrics-options.js';
import { addStoreOptions, type StoreFlags, withStackUntil } from '../options/store-options.js';
import { addPrivateWebhookOption, type PrivateWebhookFlags } from '../schedule/serve.js';
import { runServices } from '../services/services.js';
import { untilToldToStop } from '../terminal/interrupt.js';
import { addLogOptions, type LogFlags, openLog } from '../terminal/log.js';
import { addDashboardOptions, type DashboardFlags, DashboardService, several } from './service.js';

interface Flags
  extends Omit<GuardFlags, 'guard'>,
    StoreFlags,
    MetricsFlags,
    PrivateWebhookFlags,
    DashboardFlags,
    LogFlags {
  guard: string[];
}

/** `tocsin dashboard`: serves the API and the page until it is stopped. */
export function dashboardCommand(): Command {
  return addLogOptions(
    addMetricsOptions(
      addPrivateWebhookOption(
        addStoreOptions(addDashboardOptions(addMachineOptions(new Command('dashboard')))),
      ),
    ),
  )
    .description('Serve the API and the web page until stopped')
    .addOption(
      new Option('-g, --guard <ref>', 'guard to serve; may be repeated, the first is the default')
        .argParser(several)
        .makeOptionMandatory(),
    )
    .option('--backbone <path>', `${BACKBONE_HELP} (for a single guard)`)
    .addOption(new Option('--precision <precision>', 'type of the weights').choices([...PRECISIONS]))
    .addHelpText(
      'after',
      '\nWorkers (tocsin work, tocsin start) compute scores. Traces and streams run in a model of this process,\n' +
        'which is loaded at the first request.',
    )
    .action((flags: Flags) => serve(flags));
}

async function serve({ guard: refs, ...flags }: Flags): Promise<void> {
  if (refs.length > 1 && flags.backbone !== undefined) {
    throw new UserError('--backbone is for a single guard, but several are given', {
      hint: 'Serve that guard alone, or omit --backbone.',
    });
  }
  const log = openLog(flags);
  await untilToldToStop((signal) =>
    withStackUntil(signal, flags, async (stack) => {
      const guards = refs.map((guard) => ({ ...flags, guard }));
      const service = new DashboardService(stack, log, { ...flags, guards });
      await runServices([service], signal, () =>
        console.error(`Serving ${refs.join(', ')} at ${service.url}; Ctrl-C stops it.`),
      );
    }),
  );
}
