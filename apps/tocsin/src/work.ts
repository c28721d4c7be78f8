import { UserError } from '@tocsin/errors';
import { runWorker } from '@tocsin/worker';
import { Command, Option } from 'commander';
import { pino } from 'pino';
import { addGuardOptions, type GuardFlags } from './guard-options.js';
import { untilInterrupted } from './interrupt.js';

const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'];

/** `tocsin work`: one worker, until it is told to stop. */
export function workCommand(): Command {
  return addGuardOptions(new Command('work'))
    .description('Take parcels from the queue and score them, until told to stop (DATABASE_URL, REDIS_URL).')
    .addOption(new Option('--log-level <level>').choices(LOG_LEVELS).default('info'))
    .action((flags: GuardFlags & { logLevel: string }) => work(flags));
}

async function work(flags: GuardFlags & { logLevel: string }): Promise<void> {
  const { DATABASE_URL, REDIS_URL } = process.env;
  if (!DATABASE_URL) {
    throw new UserError('DATABASE_URL is not set: a worker needs the database that the parcels are in', {
      hint: 'To score a file without any server, use `tocsin score`.',
    });
  }
  const { signal, dispose } = stopSignal();
  try {
    await runWorker({
      ...flags,
      databaseUrl: DATABASE_URL,
      backend: REDIS_URL ? { kind: 'redis', url: REDIS_URL } : { kind: 'postgres', url: DATABASE_URL },
      log: pino({ level: flags.logLevel }, pino.destination(2)),
      signal,
    });
  } finally {
    dispose();
    if (process.connected) process.disconnect();
  }
}

/**
 * SIGTERM or Ctrl-C. A worker that belongs to another command leaves Ctrl-C to it (a terminal sends it to both), and
 * drains when that command is gone.
 */
function stopSignal(): { signal: AbortSignal; dispose: () => void } {
  if (process.send === undefined) return untilInterrupted();
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
  return { signal: controller.signal, dispose: () => process.off('SIGINT', ignore) };
}
