import { isUserError, redisUrlOf, UserError } from '@tocsin/core';
import { DEVICE_NAMES, parseDevice } from '@tocsin/engine';
import { withSchema } from '@tocsin/postgres';
import { DEFAULT_DRAIN_MS, runWorker } from '@tocsin/worker';
import { Command, InvalidArgumentError, Option } from 'commander';
import { addGuardOptions, type GuardFlags } from '../options/guard-options.js';
import { addMetricsOptions, listenAt, type MetricsFlags } from '../options/metrics-options.js';
import { duration } from '../options/values.js';
import { runId } from '../runs/texts.js';
import { runServices } from '../services/services.js';
import { READY } from '../services/worker-children.js';
import { untilInterrupted } from '../terminal/interrupt.js';
import { addLogOptions, type LogFlags, openLog } from '../terminal/log.js';
import { VERSION } from '../version.js';
import { WorkerGroup } from './worker-group.js';

/** Time for closing connections and the engine after the drain timeout. */
const CLOSE_MS = 15_000;

export interface WorkFlags extends GuardFlags, MetricsFlags, LogFlags {
  devices?: string[];
  run?: number;
  drainTimeout: number;
}

/** `tocsin work`: runs workers until they are stopped. */
export function workCommand(): Command {
  return addWorkOptions(addGuardOptions(new Command('work')))
    .description('Run a worker that scores queued parcels until it is stopped (DATABASE_URL, REDIS_URL)')
    .option('--run <id>', 'refuse to start if this run needs another guard', runId)
    .addHelpText(
      'after',
      '\nSIGTERM or Ctrl-C drains the worker: it finishes its parcels and takes no new ones. A second signal stops it immediately.',
    )
    .action((flags: WorkFlags) => work(flags));
}

/** Worker options of every command that starts workers. */
export function addWorkOptions(command: Command): Command {
  return addLogOptions(addMetricsOptions(command))
    .addOption(
      new Option('--devices <list>', 'start one worker process per device, e.g. cuda:0,cuda:1')
        .argParser(devices)
        .conflicts('device'),
    )
    .addOption(
      new Option(
        '--drain-timeout <duration>',
        'return unfinished parcels to the queue after draining this long',
      )
        .argParser(duration)
        .default(DEFAULT_DRAIN_MS, `${DEFAULT_DRAIN_MS / 1000}s`),
    );
}

async function work(flags: WorkFlags): Promise<void> {
  const { DATABASE_URL } = process.env;
  const redisUrl = redisUrlOf(process.env);
  if (!DATABASE_URL) {
    throw new UserError('DATABASE_URL is not set: a worker needs the database that the parcels are in', {
      hint: 'To score a file without any server, use `tocsin score`; to serve a queue without any, `tocsin start`.',
    });
  }
  const databaseUrl = withSchema(DATABASE_URL, process.env);
  const { signal, dispose } = stopSignal();
  try {
    if (flags.devices !== undefined) {
      await runServices([new WorkerGroup({ ...flags, devices: flags.devices, databaseUrl })], signal);
      return;
    }
    const log = openLog(flags);
    signal.addEventListener('abort', () => endInTime(flags.drainTimeout), { once: true });
    await runWorker({
      ...flags,
      runId: flags.run,
      drainMs: flags.drainTimeout,
      listen: listenAt(flags),
      version: VERSION,
      databaseUrl,
      backend: redisUrl ? { kind: 'redis', url: redisUrl } : { kind: 'postgres', url: databaseUrl },
      log,
      onReady: () => process.send?.(READY),
      signal,
    });
  } finally {
    dispose();
    if (process.connected) process.disconnect();
  }
}

/** An unreachable queue can block closing connections: exit without it; the leases expire. */
function endInTime(drainMs: number): void {
  setTimeout(() => {
    console.error('tocsin: the worker could not close its connections in time, and ends without');
    process.exit(1);
  }, drainMs + CLOSE_MS).unref();
}

/** Parses `cuda:0,cuda:1`, for an option. A device listed twice gets two workers. */
export function devices(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  try {
    for (const name of names) parseDevice(name);
  } catch (error) {
    if (!isUserError(error)) throw error;
    throw new InvalidArgumentError(`Expected a comma-separated list of devices, each of ${DEVICE_NAMES}.`);
  }
  return names;
}

/**
 * Stops on SIGTERM or Ctrl-C. A worker child ignores Ctrl-C, which the terminal sends to its parent too, and drains
 * when the parent has exited.
 */
export function stopSignal(): { signal: AbortSignal; dispose: () => void } {
  if (process.send === undefined) return untilInterrupted();
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
  return { signal: controller.signal, dispose: () => process.off('SIGINT', ignore) };
}
