import { randomBytes } from 'node:crypto';
import { Loop } from '@tocsin/core';
import { type DataDir, readOwn, writeOwn } from './data-dir.js';
import { identifySelf, isRunning, type ProcessIdentity } from './process-identity.js';

/**
 * Who uses the server, one line each in the file `holders`: the process and a random word, as a process may start
 * twice. The last one to leave stops the server. A process that was killed cannot leave; it is not counted any more.
 * Read and written under the lock only.
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

/** How many others use the server. */
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
 * Calls `onGone` once when the process has ended, whoever started it. Does not keep our own process alive.
 * @returns a function that ends the watch
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
    // We could not look (no file descriptor left, say): that tells nothing about the server.
    onError: () => {},
  });
  return () => void loop.close();
}
