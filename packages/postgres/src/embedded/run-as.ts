import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { DataDir } from './data-dir.js';

/**
 * Starts one of PostgreSQL's programs as the server's user, in a session of its own: Ctrl-C in the terminal goes to
 * the whole foreground group, and PostgreSQL would take it as the order to shut down. The environment is small on
 * purpose: ours may hold PGDATA and the like, and secrets.
 * @throws {UserError} when the program cannot be run
 */
export async function runAs(
  dir: DataDir,
  program: string,
  args: string[],
  stdio: StdioOptions,
): Promise<ChildProcess> {
  const { PATH, LD_LIBRARY_PATH } = process.env;
  const child = spawn(program, args, {
    // Our own working directory may be closed to that user.
    cwd: dir.path,
    detached: true,
    stdio,
    env: { LC_ALL: 'C', PATH, LD_LIBRARY_PATH },
    ...(dir.user !== undefined && { uid: dir.user.uid, gid: dir.user.gid }),
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', reject);
    });
  } catch (cause) {
    throw new UserError(`cannot run ${program}: ${messageOf(cause)}`, {
      hint: hintFor(codeOf(cause)),
      cause,
    });
  }
  return child;
}

function hintFor(code: string | undefined): string {
  const orElse = 'Or set DATABASE_URL to a PostgreSQL server of your own.';
  switch (code) {
    case 'ENOENT':
      return `The binaries need glibc; a distribution with another C library (Alpine) cannot run them. ${orElse}`;
    case 'EPERM':
      return `Root may not change to another user here (a container without CAP_SETUID?): run as an ordinary user. ${orElse}`;
    default:
      return orElse;
  }
}
