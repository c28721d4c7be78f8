import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UserError } from '@tocsin/core';
import type { TestProject } from 'vitest/node';
import { findChromium, findPgbouncer, findRedis, findStrace } from './find-programs.js';
import type { FoundProgram } from './found-program.js';
import { processesNaming } from './processes.js';

/** Once before the first test: a directory for everything that tests make, and the programs that tests start. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  // As root, the embedded server runs as another user, who has to pass.
  await chmod(scratch, 0o755);
  project.provide('scratch', scratch);
  project.provide('redis', await lookFor(findRedis));
  project.provide('chromium', await lookFor(findChromium));
  project.provide('pgbouncer', await lookFor(findPgbouncer));
  project.provide('strace', await lookFor(findStrace));
  return async () => {
    const left = processesNaming(scratch);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    await rm(scratch, { recursive: true, force: true, maxRetries: 5 });
    if (left.length > 0)
      throw new Error(`tests left processes behind:\n${left.map(({ command }) => command).join('\n')}`);
  };
}

/** Without a program only the tests that start it fail, and say why. */
async function lookFor(find: () => Promise<string>): Promise<FoundProgram> {
  try {
    return { program: await find() };
  } catch (error) {
    const hint = error instanceof UserError ? `\n${error.hint}` : '';
    return { missing: `${messageOf(error)}${hint}` };
  }
}
