import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UserError } from '@tocsin/errors';
import type { TestProject } from 'vitest/node';
import { findRedis } from './find-redis.js';
import { processesNaming } from './processes.js';
import type { FoundRedis } from './redis.js';

/** Once before the first test: a directory for everything that tests make, and a Redis server to be started. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  // As root, the embedded server runs as another user, who has to pass.
  await chmod(scratch, 0o755);
  project.provide('scratch', scratch);
  project.provide('redis', await lookForRedis());
  return async () => {
    const left = processesNaming(scratch);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
    if (left.length > 0)
      throw new Error(`tests left processes behind:\n${left.map(({ command }) => command).join('\n')}`);
  };
}

/** Without a Redis server only the tests that start one fail, and say why. */
async function lookForRedis(): Promise<FoundRedis> {
  try {
    return { program: await findRedis() };
  } catch (error) {
    const hint = error instanceof UserError ? `\n${error.hint}` : '';
    return { missing: `${messageOf(error)}${hint}` };
  }
}
