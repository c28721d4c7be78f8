import type { Command } from 'commander';
import { openStack, type Stack } from '../services/stack.js';
import { listenAt, type MetricsFlags } from './metrics-options.js';

/** Which store a command looks at, when DATABASE_URL does not say so. */
export interface StoreFlags {
  dataDir?: string;
}

export function addStoreOptions(command: Command): Command {
  return command.option(
    '--data-dir <dir>',
    'of the embedded database, used when DATABASE_URL is unset (TOCSIN_DATA)',
  );
}

/** Runs `work` with Postgres and the queue. */
export async function withStack<T>(
  flags: StoreFlags & MetricsFlags,
  work: (stack: Stack) => Promise<T>,
): Promise<T> {
  const stack = await openStack({
    dataDir: flags.dataDir,
    listen: listenAt(flags),
    onTrouble: (message) => console.error(message),
  });
  try {
    return await work(stack);
  } finally {
    await stack.close();
  }
}
