import { randomBytes } from 'node:crypto';
import { chmod, lchown, open, readdir, readFile, realpath, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { codeOf, isUserError, messageOf, UserError } from '@tocsin/core';
import {
  allows,
  chooseServerUser,
  firstClosed,
  isRoot,
  makePassable,
  type ServerUser,
} from './server-user.js';

/**
 * The directory of one embedded server:
 *
 *     data/          PostgreSQL's own data directory, owned by the user the server runs as
 *     password       of the server's only user, mode 0600
 *     port           the last port, kept so that the address stays the same
 *     holders        the processes that use the server (lock.ts)
 *     lock.<n>       the process that starts or stops it (lock.ts)
 *     postgres.log   the server's log since its last start; postgres.log.1 is the one before
 *
 * Only `data` belongs to the server's user, everything else to the owner of the directory. If Tocsin runs as root, the
 * server's user therefore cannot replace a file that root writes with a link. One machine or container at a time may use
 * a directory.
 */
export interface DataDir {
  readonly path: string;
  readonly data: string;
  readonly logFile: string;
  /** The user the server runs as; undefined for this process's user. */
  readonly user: ServerUser | undefined;
  /** The owner of Tocsin's files; undefined for this process's user. */
  readonly owner: ServerUser | undefined;
}

/** The default of `--data-dir`: `TOCSIN_DATA`, else the XDG data directory; for root, a directory that other users can reach. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.TOCSIN_DATA) return resolve(env.TOCSIN_DATA);
  if (isRoot()) return '/var/lib/tocsin/postgres';
  const xdg = env.XDG_DATA_HOME;
  // The XDG specification says to ignore relative paths.
  const base = xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.local', 'share');
  return join(base, 'tocsin', 'postgres');
}

/**
 * Creates the directory if missing, and chooses the server's user.
 * @throws {UserError} when the directory holds other files, or the server's user cannot reach it
 */
export async function openDataDir(path: string): Promise<DataDir> {
  const asked = resolve(path);
  await makePassable(asked);
  const home = await realpath(asked);
  const data = join(home, 'data');
  const found = await stat(home);
  const cluster = await statOrNothing(data);
  if (cluster === undefined) await refuseForeign(home);
  const user = await chooseServerUser(cluster ?? found);
  const owner = user === undefined ? undefined : { uid: found.uid, gid: found.gid };
  if (user !== undefined) {
    // The directory is Tocsin's, so its mode may be changed, but not its parents'.
    if (found.uid === 0 && !allows(found, user, 0o1)) await chmod(home, (found.mode & 0o7777) | 0o011);
    await refuseClosed(home, user);
  }
  return { path: home, data, logFile: join(home, 'postgres.log'), user, owner };
}

const OURS = /^(?:lost\+found|\.DS_Store|password|port|holders|postgres\.log(?:\.1)?|lock\.\d+|.*\.new-.*)$/;

/** Refuses to initialise a directory with other files in it: most likely a mistake. */
async function refuseForeign(home: string): Promise<void> {
  const strange = (await readdir(home)).find((name) => !OURS.test(name));
  if (strange === undefined) return;
  throw new UserError(`the data directory ${home} holds something that is not Tocsin's: ${strange}`, {
    hint: 'Choose an empty or a new directory with --data-dir or TOCSIN_DATA, or set DATABASE_URL.',
  });
}

async function refuseClosed(home: string, user: ServerUser): Promise<void> {
  const closed = await firstClosed(home, user);
  if (closed === undefined) return;
  throw new UserError(
    `the PostgreSQL server runs as uid ${user.uid} (not as root), which may not pass through ${closed} to ${home}`,
    {
      hint: `Choose a directory elsewhere with --data-dir or TOCSIN_DATA (/var/lib/tocsin/postgres is the default), run Tocsin as an ordinary user, or set DATABASE_URL.`,
    },
  );
}

async function statOrNothing(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** The text of a file of the directory, '' if missing. */
export async function readOwn(dir: DataDir, name: string): Promise<string> {
  try {
    return await readFile(join(dir.path, name), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Replaces a file of the directory atomically and durably. Only its owner may read it. */
export async function writeOwn(dir: DataDir, name: string, text: string): Promise<void> {
  const path = join(dir.path, name);
  const scratch = `${path}.new-${randomBytes(6).toString('hex')}`;
  const file = await open(scratch, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await giveToOwner(dir, scratch);
  await rename(scratch, path);
}

export async function giveToOwner(dir: DataDir, path: string): Promise<void> {
  if (dir.owner !== undefined) await lchown(path, dir.owner.uid, dir.owner.gid);
}

/** Makes renames and new files in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'It belongs to another user, or its permissions forbid it.',
  EPERM: 'It belongs to another user, or its file system has no owners.',
  EROFS: 'Its file system is read-only.',
  ENOSPC: 'Its file system is full.',
  EDQUOT: 'The disk quota is used up.',
  ENOTDIR: 'A part of this path is a file.',
  EEXIST: 'A part of this path is a file.',
  ENAMETOOLONG: 'The path is too long.',
  ELOOP: 'Its symbolic links form a loop.',
};

/** Converts errors of the file system to a `UserError` that names the data directory. */
export async function explained<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const hint = HINTS[codeOf(cause) ?? ''];
    if (hint === undefined || isUserError(cause)) throw cause;
    throw new UserError(`the data directory ${dataDir} cannot be used: ${messageOf(cause)}`, {
      hint: `${hint} Choose another directory with --data-dir or TOCSIN_DATA, or set DATABASE_URL.`,
      cause,
    });
  }
}
