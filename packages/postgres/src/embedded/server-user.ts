// cspell:ignore nobody
import { execFile } from 'node:child_process';
import type { Stats } from 'node:fs';
import { chmod, mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '@tocsin/core';

/** The user the server runs as, if not this process's user. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Users to run as in place of root, which PostgreSQL refuses; tried in this order. */
const CANDIDATES = ['postgres', 'nobody'];

export function isRoot(): boolean {
  return process.geteuid?.() === 0;
}

/**
 * The user the server runs as: undefined (this process's user) unless that is root. For root, the owner of the data
 * directory; if that is root too, the first of CANDIDATES that exists.
 * @throws {UserError} when neither exists.
 */
export async function chooseServerUser(owner: ServerUser): Promise<ServerUser | undefined> {
  if (!isRoot()) return undefined;
  if (owner.uid !== 0) return owner;
  for (const name of CANDIDATES) {
    const uid = await idOf('-u', name);
    const gid = await idOf('-g', name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { uid, gid };
  }
  throw new UserError(`PostgreSQL does not run as root, and there is no user ${CANDIDATES.join(' or ')}`, {
    hint: 'Run Tocsin as an ordinary user, or create a system user named postgres, or set DATABASE_URL.',
  });
}

/**
 * The first directory from the root to `path` (including `path` if it is a directory) that `user` may not pass through, by
 * mode bits; access lists are not read.
 */
export async function firstClosed(path: string, user: ServerUser): Promise<string | undefined> {
  const parent = dirname(path);
  if (parent !== path) {
    const above = await firstClosed(parent, user);
    if (above !== undefined) return above;
  }
  const found = await stat(path);
  return found.isDirectory() && !allows(found, user, 0o1) ? path : undefined;
}

/** Whether the mode bits give `user` all of `bits` (4 read, 2 write, 1 execute or pass through). */
export function allows(found: Pick<Stats, 'uid' | 'gid' | 'mode'>, user: ServerUser, bits: number): boolean {
  const shift = found.uid === user.uid ? 6 : found.gid === user.gid ? 3 : 0;
  return ((found.mode >> shift) & bits) === bits;
}

async function idOf(flag: '-u' | '-g', name: string): Promise<number | undefined> {
  try {
    return Number.parseInt((await promisify(execFile)('id', [flag, name])).stdout, 10);
  } catch (error) {
    // id ends with 1 when there is no such user.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 1) return undefined;
    throw error;
  }
}

/**
 * Creates a directory and its missing parents. If root creates them, every user may pass through, regardless of the umask,
 * so that the server's user can reach what is below; otherwise other users may not.
 */
export async function makePassable(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: isRoot() ? 0o755 : 0o700 });
  if (first === undefined || !isRoot()) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await chmod(made, 0o755);
}
