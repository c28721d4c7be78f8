import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UserError } from '@tocsin/core';
import { programOnPath } from './program-on-path.js';

interface Wanted {
  /** For people. */
  title: string;
  /** Programs that will do; the first on the PATH is taken. */
  names: readonly string[];
  /** Debian's packages that hold one. */
  packages: readonly string[];
  hint: string;
}

const CHROMIUM: Wanted = {
  title: 'Chromium',
  names: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
  // A text without a font has no width, and so no place where it could overflow.
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

/** Another installation may be under way. */
const APT = ['-y', '-o', 'DPkg::Lock::Timeout=300'];

type Find = (env?: NodeJS.ProcessEnv) => Promise<string>;
export const findChromium: Find = (env) => findProgram(CHROMIUM, env);
export const findPgbouncer: Find = (env) => findProgram(PGBOUNCER, env);
export const findStrace: Find = (env) => findProgram(STRACE, env);

/**
 * The path of a program: the machine's own, else Debian's, which is installed where this may be done.
 * @throws UserError saying what to install
 */
async function findProgram(wanted: Wanted, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const { title, names, packages, hint } = wanted;
  // PgBouncer's package puts it where only root looks.
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
