import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import type { Binaries } from './binaries.js';
import { type DataDir, giveToOwner } from './data-dir.js';
import { clearStalePidFile, findPostmaster, type Postmaster } from './postmaster.js';
import { choosePort, HOST, PATIENCE, SECOND, SERVER_SETTINGS } from './settings.js';

const POLL = 10;

/** Inputs of a start, the same for each restart. */
export interface LaunchOptions {
  readonly dir: DataDir;
  readonly binaries: Binaries;
  /** Undefined for any free port. */
  readonly port: number | undefined;
  /** Over `SERVER_SETTINGS`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: (line: string) => void;
}

/**
 * Starts the server and waits until it accepts connections. Called under the lock, when none runs. Retries while
 * backends of a killed server still hold its shared memory, and with another port if the port is taken.
 * @throws {UserError} with the end of the server's log
 */
export async function launch(options: LaunchOptions): Promise<Postmaster> {
  const { dir } = options;
  await beginLog(dir);
  const start = performance.now();
  let logged = false;
  for (;;) {
    await clearStalePidFile(dir);
    const port = options.port ?? (await choosePort(dir));
    const outcome = await tryLaunch(options, port);
    if ('server' in outcome) return outcome.server;
    const waiting = performance.now() - start < PATIENCE.leftovers;
    if (!waiting || !isPassing(outcome.output, options.port === undefined))
      throw failure(dir, outcome.output, port);
    if (!logged) options.log(`PostgreSQL does not start yet, trying again: ${fatalLine(outcome.output)}`);
    logged = true;
    await sleep(200);
  }
}

/** Whether a retry may succeed, by PostgreSQL's messages (the server's locale is C). */
function isPassing(output: string, portIsOurs: boolean): boolean {
  if (output.includes('pre-existing shared memory block')) return true;
  return portIsOurs && output.includes('Address already in use');
}

async function tryLaunch(
  options: LaunchOptions,
  port: number,
): Promise<{ server: Postmaster } | { output: string }> {
  const { dir, binaries } = options;
  const settings = { ...SERVER_SETTINGS, ...options.settings, port: String(port) };
  const { file, begin } = await openLog(dir);
  let child: ChildProcess;
  try {
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const program = join(binaries.home, 'bin', 'postgres');
    child = await runAs(dir, program, ['-D', dir.data, ...flags], ['ignore', file.fd, file.fd]);
  } finally {
    await file.close();
  }
  // The server may outlive this process, and must not keep it alive.
  child.unref();
  // Properties instead of the event: a server that cannot start may have ended already.
  const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
  try {
    const server = await waitUntilReady(dir, options.log, ended);
    return server === undefined ? { output: await readLog(dir, begin) } : { server };
  } catch (error) {
    child.kill('SIGINT');
    throw error;
  }
}

/** Waits until the running server is ready; undefined if none runs, or it ends. Called under the lock. */
export async function joinRunning(
  dir: DataDir,
  log: (line: string) => void,
): Promise<Postmaster | undefined> {
  return waitUntilReady(dir, log, (server) => server === undefined);
}

/** Waits through start and crash recovery. @returns undefined when the server `isGone` instead */
async function waitUntilReady(
  dir: DataDir,
  log: (line: string) => void,
  isGone: (server: Postmaster | undefined) => boolean,
): Promise<Postmaster | undefined> {
  const start = performance.now();
  let logged = false;
  for (;;) {
    const server = await findPostmaster(dir);
    if (server?.status === 'ready') return server;
    if (isGone(server)) return undefined;
    const waited = performance.now() - start;
    if (waited > PATIENCE.ready) {
      throw new UserError(`PostgreSQL in ${dir.path} is not ready after ${PATIENCE.ready / SECOND} s`, {
        hint: `Look at ${dir.logFile}.`,
      });
    }
    if (waited > PATIENCE.quiet && !logged) {
      log(
        `PostgreSQL in ${dir.path} is still ${server?.status || 'starting'}; after a crash it recovers first`,
      );
      logged = true;
    }
    await sleep(POLL);
  }
}

/** The reason in the log of a failed start; further lines follow it. */
function fatalLine(output: string): string {
  return /FATAL:\s*(.*)/.exec(output)?.[1] ?? lastLines(output, 1);
}

function failure(dir: DataDir, output: string, port: number): UserError {
  if (output.includes('Address already in use')) {
    return new UserError(`port ${port} on ${HOST} is taken by another program, so PostgreSQL cannot use it`, {
      hint: 'Stop that program, name another port, or leave the port out to use a free one.',
    });
  }
  return new UserError(
    `PostgreSQL does not start in ${dir.path}. The end of its log:\n${lastLines(output)}`,
    {
      hint: `The whole log is ${dir.logFile}. To start with an empty database, choose another directory with --data-dir or TOCSIN_DATA; or set DATABASE_URL.`,
    },
  );
}

/**
 * Starts one of PostgreSQL's programs as the server's user, in its own session: Ctrl-C in the terminal signals the whole
 * foreground group, and PostgreSQL would shut down. The environment is minimal: this process's may contain PGDATA and
 * secrets.
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
    // That user may have no access to this process's working directory.
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
      return `Run Tocsin as an ordinary user: root may not change to another user here (a container without CAP_SETUID?). ${orElse}`;
    default:
      return orElse;
  }
}

/** Starts a new log; the previous one is kept as `postgres.log.1`. */
async function beginLog(dir: DataDir): Promise<void> {
  try {
    await rename(dir.logFile, `${dir.logFile}.1`);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const file = await open(dir.logFile, 'wx', 0o600);
  await file.close();
  await giveToOwner(dir, dir.logFile);
}

/** Opens the log for a server. `begin` is its size before the server writes. */
async function openLog(dir: DataDir): Promise<{ file: FileHandle; begin: number }> {
  const file = await open(dir.logFile, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  return { file, begin: (await file.stat()).size };
}

/** What was logged since `begin`. */
export async function readLog(dir: DataDir, begin: number): Promise<string> {
  const file = await open(dir.logFile, 'r');
  try {
    const chunks: Buffer[] = [];
    for await (const chunk of file.createReadStream({ start: begin, autoClose: false }))
      chunks.push(chunk as Buffer);
    return Buffer.concat(chunks).toString('utf8');
  } finally {
    await file.close();
  }
}

export function lastLines(text: string, count = 8): string {
  return text.trim().split('\n').slice(-count).join('\n');
}
