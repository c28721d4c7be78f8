import { Command, Option } from 'commander';
import { addMetricsOptions, type MetricsFlags } from '../options/metrics-options.js';
import { addStoreOptions, type StoreFlags, withStackUntil } from '../options/store-options.js';
import { runServices } from '../services/services.js';
import { untilToldToStop } from '../terminal/interrupt.js';
import { LOG_LEVELS, openLog } from '../terminal/log.js';
import { addPrivateWebhookOption, type PrivateWebhookFlags, ScheduleService } from './service.js';

type ServeFlags = StoreFlags & MetricsFlags & PrivateWebhookFlags & { logLevel: string };

/** `tocsin schedule serve`: runs the schedules until it is told to stop. */
export function serveCommand(): Command {
  return addMetricsOptions(addStoreOptions(addPrivateWebhookOption(new Command('serve'))))
    .description('Run the schedules until told to stop. Any number of these may run; each time fires once.')
    .addOption(new Option('--log-level <level>').choices(LOG_LEVELS).default('info'))
    .addHelpText('after', '\nIt submits; workers score (tocsin work). `tocsin start` does both.')
    .action((flags: ServeFlags) => serve(flags));
}

async function serve(flags: ServeFlags): Promise<void> {
  const log = openLog(flags.logLevel);
  await untilToldToStop((signal) =>
    withStackUntil(signal, flags, (stack) =>
      runServices([new ScheduleService(stack, log, flags)], signal, () => log.info('running the schedules')),
    ),
  );
}
