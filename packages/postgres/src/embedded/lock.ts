import { randomBytes } from 'node:crypto';
import { readdir, readlink, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, Loop, UserError } from '@tocsin/core';
import { type DataDir, giveToOwner, readOwn, writeOwn } from './data-dir.js';
import { identifySelf, isRunning, type ProcessIdentity } from './process-identity.js';
import { PATIENCE } from './settings.js';

/**
 * One process at a time starts or stops the server. Node has no flock, so the lock is a series of symbolic links
 * `lock.1`, `lock.2`, ... whose target is the holder: a process, or `free`. The highest number counts. A link is created
 * atomically with its target, and fails if the name exists. The process that creates the next number after a free one, or
 * one whose process is gone, holds the lock. A killed holder therefore blocks nothing, and of two processes that take over
 * at once only one succeeds. Numbers never decrease: otherwise a slow process could take a number that was held and
 * released.
 */
const FREE = 'free';

/** Old numbers that are kept, so that a process that read the directory long ago still finds the next one taken. */
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
  let logged = false;
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
        `process ${holder.split('@')[0]} has been starting or stopping PostgreSQL in ${dir.path} for ${Math.round(waited / 1000)} s`,
        {
          hint: `Look at that process and at ${dir.logFile}.`,
        },
      );
    }
    if (waited > PATIENCE.quiet && !logged) {
      log?.(`waiting for process ${holder.split('@')[0]}, which starts or stops PostgreSQL in ${dir.path}`);
      logged = true;
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

/** Undefined if the link was removed in the meantime. */
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

/**
 * A user of the server: one line of the file `holders`, with the process and a random word (a process may start it twice).
 * The last holder to leave stops the server. Killed processes are not counted. Read and written only under the lock.
 */
export type Holder = string;

const FILE = 'holders';

export async function newHolder(): Promise<Holder> {
  return `${await identifySelf()} ${randomBytes(6).toString('hex')}`;
}

export async function addHolder(dir: DataDir, holder: Holder): Promise<void> {
  await write(dir, [...(await liveHolders(dir)), holder]);
}

export async function removeHolder(dir: DataDir, holder: Holder): Promise<void> {
  await write(dir, await othersThan(dir, holder));
}

/** Number of other live holders. */
export async function otherHolders(dir: DataDir, holder: Holder): Promise<number> {
  return (await othersThan(dir, holder)).length;
}

async function othersThan(dir: DataDir, holder: Holder): Promise<Holder[]> {
  return (await liveHolders(dir)).filter((other) => other !== holder);
}

async function liveHolders(dir: DataDir): Promise<Holder[]> {
  const lines = (await readOwn(dir, FILE)).split('\n').filter((line) => line !== '');
  const live = await Promise.all(lines.map((line) => isRunning(line.split(' ')[0] ?? '')));
  return lines.filter((_, index) => live[index]);
}

async function write(dir: DataDir, holders: Holder[]): Promise<void> {
  await writeOwn(dir, FILE, holders.map((holder) => `${holder}\n`).join(''));
}

const INTERVAL = 250;

/**
 * Calls `onGone` once when the process has ended, also if this process did not start it. Does not keep this process alive.
 * @returns a function that stops watching
 */
export function watch(identity: ProcessIdentity, onGone: () => void): () => void {
  const look = async (signal: AbortSignal): Promise<void> => {
    if ((await isRunning(identity)) || signal.aborted) return;
    void loop.close();
    onGone();
  };
  const loop = new Loop(look, {
    everyMs: INTERVAL,
    pauseFirst: true,
    keepAlive: false,
    // A failed check (no file descriptor left, say) says nothing about the server.
    onError: () => {},
  });
  return () => void loop.close();
}
