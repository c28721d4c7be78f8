import { abortable } from '@tocsin/core';
import type { Command } from 'commander';
import { openStack, type Stack } from '../services/stack.js';
import { untilInterrupted } from '../terminal/interrupt.js';
import { listenAt, type MetricsFlags } from './metrics-options.js';

/** Which store a command looks at, when DATABASE_URL does not say so. */
export interface StoreFlags {
  dataDir?: string;
}

export function addStoreOptions(command: Command): Command {
  return command.option(
    '--data-dir <dir>',
    'directory of the embedded database, used when DATABASE_URL is unset (TOCSIN_DATA)',
  );
}

/**
 * Runs `work` with Postgres and the queue. SIGTERM or Ctrl-C ends it, also when a statement waits for a lock.
 * @throws Interrupted
 */
export async function withStack<T>(
  flags: StoreFlags & MetricsFlags,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  const { signal, dispose } = untilInterrupted();
  try {
    // There is nothing to clean up: the closed pool refuses what `work` would go on with.
    return await withStackUntil(signal, flags, (stack) => abortable(work(stack), signal));
  } finally {
    dispose();
  }
}

/**
 * The same for work that ends by itself when it is interrupted; what it waits for in Postgres is cancelled then.
 * @throws the signal's reason when that ended it
 */
export async function withStackUntil<T>(
  interrupted: AbortSignal,
  flags: StoreFlags & MetricsFlags,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  try {
    const stack = await openStack({
      dataDir: flags.dataDir,
      listen: listenAt(flags),
      interrupted,
      onWarning: (message) => console.error(message),
    });
    try {
      return await work(stack);
    } finally {
      await stack.close();
    }
  } catch (error) {
    // A statement that was cancelled is not the reason.
    throw interrupted.aborted ? interrupted.reason : error;
  }
}
