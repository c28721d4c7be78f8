import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { UserError } from '@tocsin/errors';
import { programOnPath } from './program-on-path.js';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** A text without a font has no width, and so no place where it could overflow. */
const PACKAGES = ['chromium', 'fonts-dejavu-core'];
/** Another installation may be under way. */
const APT = ['-y', '-o', 'DPkg::Lock::Timeout=300'];

/**
 * The path of Chromium: the machine's own, else Debian's, which is installed where this may be done.
 * @throws UserError saying what to install
 */
export async function findChromium(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const own = programOnPath(NAMES, env.PATH ?? '');
  if (own !== undefined) return own;
  const hint = 'Install Chromium or Chrome: apt install chromium, or brew install --cask chromium.';
  if (process.getuid?.() !== 0 || programOnPath(['apt-get'], env.PATH ?? '') === undefined) {
    throw new UserError('the tests need Chromium', { hint });
  }
  try {
    await install(env);
  } catch (cause) {
    throw new UserError(`the tests need Chromium: ${(cause as Error).message}`, { hint, cause });
  }
  const installed = programOnPath(NAMES, env.PATH ?? '');
  if (installed === undefined) throw new UserError('the package chromium holds no chromium', { hint });
  return installed;
}

async function install(env: NodeJS.ProcessEnv): Promise<void> {
  const run = promisify(execFile);
  const quiet = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' } };
  await run('apt-get', [...APT, 'update'], quiet);
  await run('apt-get', [...APT, 'install', '--no-install-recommends', ...PACKAGES], quiet);
}
