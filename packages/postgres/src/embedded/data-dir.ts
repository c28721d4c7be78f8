import { randomBytes } from 'node:crypto';
import { chmod, lchown, open, readdir, readFile, realpath, rename, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { codeOf, UserError } from '@tocsin/core';
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
 *     port           the last one used, kept so that the address stays the same
 *     holders        the processes that use the server (holders.ts)
 *     lock.<n>       who starts or stops it just now (lock.ts)
 *     postgres.log   the server's log since its last start; postgres.log.1 is the one before
 *
 * Everything but `data` belongs to the owner of the directory, and only `data` to the server's user: as root, the
 * server cannot lay a link under a file that we write. Directories are for one machine or container at a time.
 */
export interface DataDir {
  readonly path: string;
  readonly data: string;
  readonly logFile: string;
  /** Who runs the server; undefined: ourselves. */
  readonly user: ServerUser | undefined;
  /** Whom our files belong to; undefined: ourselves. */
  readonly owner: ServerUser | undefined;
}

/** What `--data-dir` is when it is not given: `TOCSIN_DATA`, else the XDG data directory; for root one that other users can reach. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env.TOCSIN_DATA) return resolve(env.TOCSIN_DATA);
  if (isRoot()) return '/var/lib/tocsin/postgres';
  const xdg = env.XDG_DATA_HOME;
  // The XDG specification: a relative path is to be ignored.
  const base = xdg && isAbsolute(xdg) ? xdg : join(env.HOME || homedir(), '.local', 'share');
  return join(base, 'tocsin', 'postgres');
}

/**
 * Makes the directory if need be and chooses the server's user.
 * @throws {UserError} when the directory belongs to another user, or the server's user cannot reach it.
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
    // Given to us, so we may open it; never its parents.
    if (found.uid === 0 && !allows(found, user, 0o1)) await chmod(home, (found.mode & 0o7777) | 0o011);
    await refuseClosed(home, user);
  }
  return { path: home, data, logFile: join(home, 'postgres.log'), user, owner };
}

const OURS = /^(?:lost\+found|\.DS_Store|password|port|holders|postgres\.log(?:\.1)?|lock\.\d+|.*\.new-.*)$/;

/** A first start in a directory with other things in it is more likely a slip than a wish. */
async function refuseForeign(home: string): Promise<void> {
  const strange = (await readdir(home)).find((name) => !OURS.test(name));
  if (strange === undefined) return;
  throw new UserError(`The data directory ${home} holds something that is not Tocsin's: ${strange}.`, {
    hint: 'Choose an empty or a new directory with --data-dir or TOCSIN_DATA, or set DATABASE_URL.',
  });
}

async function refuseClosed(home: string, user: ServerUser): Promise<void> {
  const closed = await firstClosed(home, user);
  if (closed === undefined) return;
  throw new UserError(
    `As root, the PostgreSQL server runs as uid ${user.uid}, and that user cannot pass ${closed} on the way to ${home}.`,
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

/** The text of one of our files, '' when there is none. */
export async function readOwn(dir: DataDir, name: string): Promise<string> {
  try {
    return await readFile(join(dir.path, name), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Replaces one of our files, whole and durably. Only its owner may read it. */
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

/** What was renamed or made in a directory is on the disk only once the directory is. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
