import { Command } from 'commander';
import { addGuardOptions, type GuardFlags } from '../guard-options.js';
import { untilInterrupted } from '../interrupt.js';
import { openLog } from '../log.js';
import { addPrivateWebhookOption, type PrivateWebhookFlags, ScheduleService } from '../schedule/service.js';
import { runServices, type Service } from '../services.js';
import type { Stack } from '../stack.js';
import { addStoreOptions, type StoreFlags, withStack } from '../store-options.js';
import { addWorkOptions, type WorkFlags } from '../work/command.js';
import { WorkerGroup } from '../work/worker-group.js';

type StartFlags = GuardFlags & StoreFlags & PrivateWebhookFlags & Omit<WorkFlags, 'run'>;

/** `tocsin start`: everything on this machine, until Ctrl-C. */
export function startCommand(): Command {
  return addPrivateWebhookOption(addStoreOptions(addWorkOptions(addGuardOptions(new Command('start')))))
    .description(
      'Run everything here until Ctrl-C: the embedded database and queue, a worker on each device, and the schedules.',
    )
    .action((flags: StartFlags) => start(flags));
}

async function start(flags: StartFlags): Promise<void> {
  const { signal, dispose } = untilInterrupted();
  try {
    await withStack(flags, async (stack) => {
      await runServices(servicesOf(stack, flags), signal, () => console.error(startedText(flags)));
    });
  } finally {
    dispose();
  }
}

/** What runs here. A further service (schedules, the dashboard) is a further one in this list. */
function servicesOf(stack: Stack, flags: StartFlags): Service[] {
  const { devices = [flags.device ?? 'auto'] } = flags;
  const log = openLog(flags.logLevel);
  return [
    new WorkerGroup({ ...flags, devices, databaseUrl: stack.databaseUrl, portOffset: 1 }),
    new ScheduleService(stack, log, flags),
  ];
}

function startedText({ guard, dataDir }: StartFlags): string {
  const where = dataDir === undefined ? '' : ` --data-dir ${dataDir}`;
  return [
    `Serving ${guard}; Ctrl-C stops it.`,
    `Submit a corpus from another terminal: tocsin submit corpus.jsonl --guard ${guard}${where}`,
  ].join('\n');
}
