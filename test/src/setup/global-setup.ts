import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UserError } from '@tocsin/core';
import type { TestProject } from 'vitest/node';
import { findChromium, findPgbouncer, findRedis, findStrace } from './find-programs.js';
import { processesNaming } from './processes.js';
import type { FoundProgram } from './provided.js';

/** Runs once before the first test: creates a directory for all test data, and finds the programs that tests start. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const scratch = await mkdtemp(join(tmpdir(), 'tocsin-test-'));
  // As root, the embedded server runs as another user, which needs access.
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

/** A missing program fails only the tests that use it, with the reason. */
async function lookFor(find: () => Promise<string>): Promise<FoundProgram> {
  try {
    return { program: await find() };
  } catch (error) {
    const hint = error instanceof UserError ? `\n${error.hint}` : '';
    return { missing: `${messageOf(error)}${hint}` };
  }
}
