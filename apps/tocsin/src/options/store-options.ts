import { abortable } from '@tocsin/core';
import type { Command } from 'commander';
import type { Stack } from '../services/stack.js';
import { untilInterrupted } from '../terminal/interrupt.js';
import type { MetricsFlags } from './metrics-options.js';

/** The embedded store that a command uses when DATABASE_URL is unset. */
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
 * Runs `work` with Postgres and the queue. SIGTERM or Ctrl-C ends it, even while a statement waits for a lock.
 * @throws Interrupted
 */
export async function withStack<T>(
  flags: StoreFlags & MetricsFlags,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  const { signal, dispose } = untilInterrupted();
  try {
    // No cleanup is needed: the closed pool rejects further queries of `work`.
    return await withStackUntil(signal, flags, (stack) => abortable(work(stack), signal));
  } finally {
    dispose();
  }
}

/**
 * The same for work that handles interruption itself; its pending Postgres statements are cancelled.
 * @throws the signal's reason when interrupted
 */
export async function withStackUntil<T>(
  interrupted: AbortSignal,
  flags: StoreFlags & MetricsFlags,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  try {
    // Loaded here, because they take most of a second that the help of a command does not need.
    const [{ openStack }, { listenAt }] = await Promise.all([
      import('../services/stack.js'),
      import('./metrics-options.js'),
    ]);
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
    // The cancelled statement is a consequence, not the cause.
    throw interrupted.aborted ? interrupted.reason : error;
  }
}
