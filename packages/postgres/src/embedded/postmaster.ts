import { readFile, realpath, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, UserError } from '@tocsin/core';
import type { DataDir } from './data-dir.js';
import { commandLine, identify, isRunning, type ProcessIdentity } from './process-identity.js';
import { PATIENCE, SECOND } from './settings.js';

/** The running server of a data directory, from its `postmaster.pid`. */
export interface Postmaster {
  readonly pid: number;
  readonly identity: ProcessIdentity;
  /** 0 while the server has not yet written it. */
  readonly port: number;
  /** `starting`, `ready`, `stopping`; '' while the server has not yet written it. */
  readonly status: string;
}

/** The lines of `postmaster.pid` (PostgreSQL's src/include/utils/pidfile.h); undefined when there is no process in it. */
export function parsePidFile(text: string): { pid: number; port: number; status: string } | undefined {
  const lines = text.split('\n').map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  return { pid, port: Number(lines[3]) || 0, status: lines[7] ?? '' };
}

/** The running server of the directory; undefined if none runs, also when a stale file names one. */
export async function findPostmaster(dir: DataDir): Promise<Postmaster | undefined> {
  const file = parsePidFile(await readPidFile(dir));
  if (file === undefined) return undefined;
  const identity = await identify(file.pid);
  if (identity === undefined || !(await serves(file.pid, dir.data))) return undefined;
  return { ...file, identity };
}

/**
 * Removes a `postmaster.pid` whose server is gone. PostgreSQL removes it if no process has its number, but refuses to start
 * if another program has it, or an unreaped zombie (in containers). It still checks that no backend uses the old shared
 * memory. Called under the lock.
 */
export async function clearStalePidFile(dir: DataDir): Promise<void> {
  if ((await findPostmaster(dir)) !== undefined) return;
  try {
    await unlink(join(dir.data, 'postmaster.pid'));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Starts a fast shutdown (closes connections, writes a checkpoint) and waits until the server has ended. */
export async function shutDown(dir: DataDir, server: Postmaster): Promise<void> {
  if (await isRunning(server.identity)) process.kill(server.pid, 'SIGINT');
  if (await endsWithin(server, PATIENCE.shutdown)) return;
  throw new UserError(
    `PostgreSQL (process ${server.pid}) in ${dir.path} did not stop in ${PATIENCE.shutdown / SECOND} s`,
    { hint: `Look at ${dir.logFile}.` },
  );
}

/** Whether the server ends within some milliseconds. */
export async function endsWithin(server: Postmaster, patience: number): Promise<boolean> {
  const start = performance.now();
  while (await isRunning(server.identity)) {
    if (performance.now() - start > patience) return false;
    await sleep(10);
  }
  return true;
}

/** Whether a process is a server on `data`: its first word is postgres, and the directory it was given is this one. */
async function serves(pid: number, data: string): Promise<boolean> {
  const command = await commandLine(pid);
  // ps joins the words with spaces, and a path may contain spaces.
  if (!command.includes('\0')) return command.includes('postgres') && command.includes(data);
  const words = command.split('\0');
  if (!basename(words[0] ?? '').startsWith('postgres')) return false;
  const given = words[words.indexOf('-D') + 1];
  // Started by other means (PGDATA): the file is in the directory, so it is most likely this one.
  if (!words.includes('-D') || given === undefined) return true;
  return given === data || (await realpath(given).catch(() => given)) === data;
}

async function readPidFile(dir: DataDir): Promise<string> {
  try {
    return await readFile(join(dir.data, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}
