import { Command } from 'commander';
import { addDashboardOptions, type DashboardFlags, DashboardService } from '../dashboard/service.js';
import { addGuardOptions, type GuardFlags } from '../options/guard-options.js';
import { addStoreOptions, type StoreFlags, withStackUntil } from '../options/store-options.js';
import { addPrivateWebhookOption, type PrivateWebhookFlags, ScheduleService } from '../schedule/serve.js';
import { runServices, type Service } from '../services/services.js';
import { untilToldToStop } from '../terminal/interrupt.js';
import { openLog } from '../terminal/log.js';
import { addWorkOptions, type WorkFlags } from '../work/command.js';
import { WorkerGroup } from '../work/worker-group.js';

type StartFlags = GuardFlags &
  StoreFlags &
  PrivateWebhookFlags &
  DashboardFlags & { dashboard: boolean } & Omit<WorkFlags, 'run'>;

/** `tocsin start`: runs everything on this machine until Ctrl-C. */
export function startCommand(): Command {
  const command = addDashboardOptions(addWorkOptions(addGuardOptions(new Command('start'))));
  return addPrivateWebhookOption(addStoreOptions(command))
    .description(
      'Run everything on this machine: database, queue, a worker per device, schedules, API and page',
    )
    .option('--no-dashboard', 'leave out the API and the page')
    .action((flags: StartFlags) => start(flags));
}

async function start(flags: StartFlags): Promise<void> {
  await untilToldToStop((signal) =>
    withStackUntil(signal, flags, async (stack) => {
      const log = openLog(flags);
      const dashboard = flags.dashboard
        ? new DashboardService(stack, log, { ...flags, guards: [flags] })
        : undefined;
      const { devices = [flags.device ?? 'auto'] } = flags;
      const services: Service[] = [
        // First, to detect a port in use before a model is loaded.
        ...(dashboard === undefined ? [] : [dashboard]),
        new WorkerGroup({ ...flags, devices, databaseUrl: stack.databaseUrl, portOffset: 1 }),
        new ScheduleService(stack, log, flags),
      ];
      await runServices(services, signal, () => console.error(startedText(flags, dashboard?.url)));
    }),
  );
}

function startedText({ guard, dataDir }: StartFlags, url: string | undefined): string {
  const where = dataDir === undefined ? '' : ` --data-dir ${dataDir}`;
  return [
    `Serving ${guard}${url === undefined ? '' : ` at ${url}`}; Ctrl-C stops it.`,
    `Submit a corpus from another terminal: tocsin submit corpus.jsonl --guard ${guard}${where}`,
  ].join('\n');
}
