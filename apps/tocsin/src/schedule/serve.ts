import { allowPrivateOf, Scheduler } from '@tocsin/scheduler';
import { Command, Option } from 'commander';
import type { Logger } from 'pino';
import { addMetricsOptions, type MetricsFlags } from '../options/metrics-options.js';
import { addStoreOptions, type StoreFlags, withStackUntil } from '../options/store-options.js';
import { runServices, type Service } from '../services/services.js';
import type { Stack } from '../services/stack.js';
import { untilToldToStop } from '../terminal/interrupt.js';
import { addLogOptions, type LogFlags, openLog } from '../terminal/log.js';

type ServeFlags = StoreFlags & MetricsFlags & PrivateWebhookFlags & LogFlags;

/** `tocsin schedule serve`: runs the schedules until it is stopped. */
export function serveCommand(): Command {
  return addLogOptions(addMetricsOptions(addStoreOptions(addPrivateWebhookOption(new Command('serve')))))
    .description('Run the schedules until stopped. Any number of these may run; each time fires once')
    .addHelpText('after', '\nIt submits; workers score (tocsin work). `tocsin start` does both.')
    .action((flags: ServeFlags) => serve(flags));
}

async function serve(flags: ServeFlags): Promise<void> {
  const log = openLog(flags);
  await untilToldToStop((signal) =>
    withStackUntil(signal, flags, (stack) =>
      runServices([new ScheduleService(stack, log, flags)], signal, () => log.info('running the schedules')),
    ),
  );
}

export interface PrivateWebhookFlags {
  allowPrivateWebhooks?: boolean;
}

export function addPrivateWebhookOption(command: Command): Command {
  return command.addOption(
    new Option(
      '--allow-private-webhooks',
      'allow webhooks with http and at private addresses (TOCSIN_WEBHOOK_ALLOW_PRIVATE=1)',
    ),
  );
}

/** Whether webhooks may call private addresses, by option or environment variable. */
export function allowPrivate(flags: PrivateWebhookFlags): boolean {
  return flags.allowPrivateWebhooks === true || allowPrivateOf(process.env);
}

/** Runs the schedules of a database until the command ends. */
export class ScheduleService implements Service {
  readonly name = 'schedules';
  readonly #stack: Stack;
  readonly #log: Logger;
  readonly #allowPrivate: boolean;
  #scheduler: Scheduler | undefined;

  constructor(stack: Stack, log: Logger, flags: PrivateWebhookFlags) {
    this.#stack = stack;
    this.#log = log;
    this.#allowPrivate = allowPrivate(flags);
  }

  async start(): Promise<void> {
    this.#scheduler = await Scheduler.start({
      ...this.#stack,
      log: this.#log,
      allowPrivate: this.#allowPrivate,
      measures: this.#stack.telemetry.metrics.schedules,
    });
  }

  async close(): Promise<void> {
    await this.#scheduler?.close();
  }
}
