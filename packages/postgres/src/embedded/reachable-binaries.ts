import { chmod, cp, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { codeOf, UserError } from '@tocsin/core';
import type { Binaries } from './binaries.js';
import { makePassable } from './make-passable.js';
import { allows, firstClosed, type ServerUser } from './server-user.js';

/** Where root keeps copies for the server's user. */
const COPY_ROOT = '/var/lib/tocsin';

/**
 * Binaries that `user` can run: these, or, when they lie where only root may go (a checkout in /root), a copy made
 * once for each version under `copyRoot`. The copy appears whole or not at all, also when two processes make it.
 */
export async function reachableBinaries(
  binaries: Binaries,
  user: ServerUser | undefined,
  options: { copyRoot?: string; log?: (line: string) => void } = {},
): Promise<Binaries> {
  if (user === undefined || (await canRun(binaries, user))) return binaries;
  const copyRoot = options.copyRoot ?? COPY_ROOT;
  const home = join(copyRoot, `postgres-${binaries.version}-${process.platform}-${process.arch}`);
  const copied = { home, version: binaries.version };
  await makePassable(copyRoot);
  if (!(await isDirectory(home))) {
    options.log?.(`copying PostgreSQL to ${home}, where its user can reach it`);
    await copyWhole(binaries.home, home);
  }
  if (!(await canRun(copied, user))) {
    throw new UserError(`The user of the PostgreSQL server (uid ${user.uid}) cannot reach ${home}.`, {
      hint: `Make ${copyRoot} passable for everyone (chmod a+rx), or run Tocsin as an ordinary user, or set DATABASE_URL.`,
    });
  }
  return copied;
}

async function canRun(binaries: Binaries, user: ServerUser): Promise<boolean> {
  const program = join(binaries.home, 'bin', 'postgres');
  return (await firstClosed(program, user)) === undefined && allows(await stat(program), user, 0o5);
}

async function copyWhole(from: string, to: string): Promise<void> {
  const scratch = await mkdtemp(`${to}.new-`);
  try {
    await cp(from, scratch, { recursive: true, verbatimSymlinks: true });
    await openUp(scratch);
    await rename(scratch, to);
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    // Another process was first; its copy is as good as ours.
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error;
  }
}

/** Readable by everyone: an installation under a strict umask is not. */
async function openUp(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openUp(path);
    else if (entry.isFile()) await chmod(path, basename(directory) === 'bin' ? 0o755 : 0o644);
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}
