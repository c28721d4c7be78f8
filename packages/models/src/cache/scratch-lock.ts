import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@tocsin/core';

const MILLISECOND = 1;
const SECOND = 1000 * MILLISECOND;

/** Timing of the lock: heartbeat of the holder, patience of waiters. */
export interface LockTiming {
  /** How often a holder touches the lock file (ms). */
  beat: number;
  /** How often a waiter checks (ms). */
  poll: number;
  /** Checks without a heartbeat after which the holder counts as dead. */
  patience: number;
}

/** A dead holder is detected after 10 s, ten heartbeats of a living one. */
export const LOCK_TIMING = {
  beat: 1 * SECOND,
  poll: 250 * MILLISECOND,
  patience: 40,
} as const satisfies LockTiming;

export interface ScratchLockOptions {
  /** Ends the waiting; `work` must observe it itself. */
  signal?: AbortSignal;
  /** Called once when another process holds the lock. */
  onWait?: () => void;
  /** Default: `LOCK_TIMING`. */
  timing?: LockTiming;
}

/**
 * Runs work that only one process (or one caller in this process) should do at a time, with a scratch directory beside
 * the lock file; both are removed afterwards.
 *
 * The lock only avoids duplicate work; it does not guarantee exclusion. `work` must build its result in the scratch
 * directory and rename it into place, so that two holders cannot harm each other. The lock is a file that its holder
 * touches every second. When a holder dies, the next waiter removes its lock and scratch directory. Waiters count checks
 * and do not compare clocks, so suspended laptops, clock jumps and file servers with other clocks do no harm.
 *
 * @param lockFile its directory must exist
 * @param work gets the scratch directory; should first check whether the result already exists
 */
export async function withScratchLock<T>(
  lockFile: string,
  work: (scratch: string) => Promise<T>,
  options: ScratchLockOptions = {},
): Promise<T> {
  const timing = options.timing ?? LOCK_TIMING;
  const owner = randomUUID();
  await acquire(lockFile, owner, timing, options);
  const heart = startHeart(lockFile, timing);
  const scratch = scratchOf(lockFile, owner);
  try {
    await mkdir(scratch);
    return await work(scratch);
  } finally {
    clearInterval(heart);
    await rm(scratch, { recursive: true, force: true, maxRetries: 3 });
    await removeIfOwned(lockFile, owner);
  }
}

async function acquire(
  lockFile: string,
  owner: string,
  timing: LockTiming,
  options: ScratchLockOptions,
): Promise<void> {
  let lastSign = '';
  let looksWithoutSign = 0;
  let told = false;
  while (!(await create(lockFile, owner))) {
    if (!told) options.onWait?.();
    told = true;
    const state = await readState(lockFile);
    if (state === undefined) continue;
    looksWithoutSign = state.sign === lastSign ? looksWithoutSign + 1 : 0;
    lastSign = state.sign;
    if (looksWithoutSign >= timing.patience) {
      await breakLock(lockFile, state.owner);
      continue;
    }
    await sleep(timing.poll, undefined, options.signal ? { signal: options.signal } : {});
  }
}

/** @returns false when a lock already exists */
async function create(lockFile: string, owner: string): Promise<boolean> {
  const file = await open(lockFile, 'wx').catch((error) => {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  });
  if (file === undefined) return false;
  try {
    await file.writeFile(owner);
  } finally {
    await file.close();
  }
  return true;
}

/** @returns undefined when the lock has just been removed */
async function readState(lockFile: string): Promise<{ owner: string; sign: string } | undefined> {
  try {
    const owner = await readFile(lockFile, 'utf8');
    const { mtimeMs } = await stat(lockFile);
    return { owner, sign: `${owner} ${mtimeMs}` };
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function breakLock(lockFile: string, owner: string): Promise<void> {
  await removeIfOwned(lockFile, owner);
  // The holder may have died between creating the file and writing its name.
  if (owner !== '') await rm(scratchOf(lockFile, owner), { recursive: true, force: true, maxRetries: 3 });
}

async function removeIfOwned(lockFile: string, owner: string): Promise<void> {
  const state = await readState(lockFile);
  if (state?.owner === owner) await rm(lockFile, { force: true });
}

function startHeart(lockFile: string, timing: LockTiming): NodeJS.Timeout {
  const heart = setInterval(() => {
    const now = new Date();
    // If the lock was taken from us (we were suspended), the work continues: its rename is as good as the other's.
    // Any other error is a failing disk: the work meets the same error and reports it.
    utimes(lockFile, now, now).catch(() => clearInterval(heart));
  }, timing.beat);
  return heart.unref();
}

function scratchOf(lockFile: string, owner: string): string {
  return `${lockFile}.${owner}`;
}
