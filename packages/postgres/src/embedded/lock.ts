import { readdir, readlink, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, UserError } from '@tocsin/core';
import { type DataDir, giveToOwner } from './data-dir.js';
import { identifySelf, isRunning } from './process-identity.js';
import { PATIENCE } from './settings.js';

/**
 * One process at a time starts or stops the server. Node has no flock, so the lock is a series of symbolic links
 * `lock.1`, `lock.2`, ... whose target says who holds it: a process, or `free`. The highest number counts. A link is
 * made together with its target and only when the name is not taken, so whoever makes the next number after one that
 * is free, or whose process is gone, holds the lock: a killed holder leaves nothing stuck, and two that take over at
 * once do not both succeed. Numbers never go back, or a slow process could take one that was held and given up.
 */
const FREE = 'free';

/** Old numbers that stay, so that one who looked long ago still finds the next one taken. */
const KEPT = 8;

const POLL = 50;

/** Runs `work` while holding the directory's lock. @throws {UserError} when a live process holds it for minutes. */
export async function withLock<T>(
  dir: DataDir,
  work: () => Promise<T>,
  options: { patience?: number; log?: (line: string) => void } = {},
): Promise<T> {
  const held = await acquire(dir, options.patience ?? PATIENCE.lock, options.log);
  try {
    return await work();
  } finally {
    await take(dir, held + 1, FREE);
    await forget(dir, held + 1 - KEPT);
  }
}

async function acquire(dir: DataDir, patience: number, log?: (line: string) => void): Promise<number> {
  const self = await identifySelf();
  const start = performance.now();
  let told = false;
  for (;;) {
    const last = await highest(dir);
    const holder = last === 0 ? FREE : await holderOf(dir, last);
    if (holder === undefined) continue;
    if (holder === FREE || !(await isRunning(holder))) {
      if ((await take(dir, last + 1, self)) && (await highest(dir)) === last + 1) return last + 1;
      continue;
    }
    const waited = performance.now() - start;
    if (waited > patience) {
      throw new UserError(
        `Process ${holder.split('@')[0]} has been starting or stopping PostgreSQL in ${dir.path} for ${Math.round(waited / 1000)} s.`,
        {
          hint: `Look at that process and at ${dir.logFile}.`,
        },
      );
    }
    if (waited > PATIENCE.quiet && !told) {
      log?.(`waiting for process ${holder.split('@')[0]}, which starts or stops PostgreSQL in ${dir.path}`);
      told = true;
    }
    await sleep(POLL);
  }
}

async function numbers(dir: DataDir): Promise<number[]> {
  return (await readdir(dir.path)).flatMap((name) => {
    const number = /^lock\.(\d+)$/.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

async function highest(dir: DataDir): Promise<number> {
  return Math.max(0, ...(await numbers(dir)));
}

function linkOf(dir: DataDir, number: number): string {
  return join(dir.path, `lock.${number}`);
}

/** Undefined when the link was cleared away since. */
async function holderOf(dir: DataDir, number: number): Promise<string | undefined> {
  try {
    return await readlink(linkOf(dir, number));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function take(dir: DataDir, number: number, holder: string): Promise<boolean> {
  try {
    await symlink(holder, linkOf(dir, number));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  await giveToOwner(dir, linkOf(dir, number));
  return true;
}

async function forget(dir: DataDir, upTo: number): Promise<void> {
  for (const number of await numbers(dir)) {
    if (number <= upTo) await unlink(linkOf(dir, number));
  }
}
