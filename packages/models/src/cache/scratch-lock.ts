import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@tocsin/core';

const MILLISECOND = 1;
const SECOND = 1000 * MILLISECOND;

/** How often a holder shows that it lives, and how long a waiter believes in one that does not. */
export interface LockTiming {
  /** A holder touches the lock file this often (ms). */
  beat: number;
  /** A waiter looks this often (ms). */
  poll: number;
  /** After so many looks without a sign of life the holder is taken for dead. */
  patience: number;
}

/** A dead holder is noticed after 10 s, in which a living one has touched its lock ten times. */
export const LOCK_TIMING = {
  beat: 1 * SECOND,
  poll: 250 * MILLISECOND,
  patience: 40,
} as const satisfies LockTiming;

export interface ScratchLockOptions {
  /** Ends the waiting; the work has to watch it itself. */
  signal?: AbortSignal | undefined;
  /** Called once when somebody else holds the lock. */
  onWait?: (() => void) | undefined;
  /** Default: `LOCK_TIMING`. */
  timing?: LockTiming | undefined;
}

/**
 * Do work that only one process (or one part of this process) should do at a time, with a scratch directory of its own
 * beside the lock file; both are removed afterwards.
 *
 * The lock saves double work, it does not keep results right: work has to build its result in the scratch directory
 * and rename it into place, so that two holders could not hurt each other. That allows a plain lock: a file that its
 * holder touches every second. A holder that was killed stops touching it, and the next one to come removes its
 * lock and its scratch directory. Waiters count looks and compare no clocks: a suspended laptop, a clock that jumps
 * and a file server with a clock of its own kill nobody.
 *
 * @param lockFile its directory must exist
 * @param work gets the scratch directory; looks first whether the result is there by now
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

/** @returns false when there is a lock already */
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

/** @returns undefined when the lock has just gone */
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
  // The holder may have died between making the file and writing its name.
  if (owner !== '') await rm(scratchOf(lockFile, owner), { recursive: true, force: true, maxRetries: 3 });
}

async function removeIfOwned(lockFile: string, owner: string): Promise<void> {
  const state = await readState(lockFile);
  if (state?.owner === owner) await rm(lockFile, { force: true });
}

function startHeart(lockFile: string, timing: LockTiming): NodeJS.Timeout {
  const heart = setInterval(() => {
    const now = new Date();
    // When the lock was taken from us (we were suspended), the work goes on: its rename is as good as the other's.
    // Any other error means that the disk is going: the work meets the same error, and has somebody to tell.
    utimes(lockFile, now, now).catch(() => clearInterval(heart));
  }, timing.beat);
  return heart.unref();
}

function scratchOf(lockFile: string, owner: string): string {
  return `${lockFile}.${owner}`;
}
