import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GoldenGuard, goldenDirs } from '@tocsin/siren/testing';
import { inject } from 'vitest';
import { until } from './processes.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COMMAND = join(ROOT, 'apps', 'tocsin', 'bin', 'tocsin.js');

/** The result of a command. */
export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

export interface TocsinOptions {
  /** Added to a clean environment; undefined removes a variable. */
  env?: NodeJS.ProcessEnv;
  /** Content of standard input; empty by default. */
  stdin?: Buffer | string;
  /** Whether standard input stays open. */
  stdinStaysOpen?: boolean;
  /** The working directory. */
  cwd?: string;
}

/** The real command as a separate process. */
export class TocsinProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** Its standard error so far. */
  stderr = '';
  readonly #child: ChildProcess;

  constructor(args: string[], options: TocsinOptions = {}) {
    const child = spawn(process.execPath, [COMMAND, ...args], {
      env: cleanEnv(options.env),
      cwd: options.cwd,
    });
    if (child.pid === undefined) throw new Error('the command did not start');
    this.#child = child;
    this.pid = child.pid;
    const stdout: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
    // A command that does not read its standard input may end before it is written.
    child.stdin.on('error', () => {});
    child.stdin.write(options.stdin ?? '');
    if (options.stdinStaysOpen !== true) child.stdin.end();
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode, signal) =>
        resolve({ exitCode, signal, stdout: Buffer.concat(stdout), stderr: this.stderr }),
      );
    });
  }

  /**
   * Waits for a pattern on standard error.
   * @returns the pattern's first group, or the whole match
   * @throws Error with all of its output when it ends first
   */
  async said(pattern: RegExp): Promise<string> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    this.ended.then(end, end);
    return until(() => {
      // Read before the check, so that its last output counts.
      const last = over;
      const found = pattern.exec(this.stderr);
      if (found !== null) return found[1] ?? found[0];
      if (last) throw new Error(`the process has ended:\n${this.stderr}`);
      return undefined;
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Runs the command to its end. */
export function tocsin(args: string[], options: TocsinOptions = {}): Promise<Ended> {
  return new TocsinProcess(args, options).ended;
}

/** The machine's environment without servers or directories of the user who runs the tests. */
function cleanEnv(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, REDIS_URL: __, REDIS_PASSWORD: ___, TOCSIN_DATA: ____, ...env } = process.env;
  // Guards are compiled and calibrated once for all tests.
  const cache = changes.TOCSIN_CACHE ?? join(inject('scratch'), 'cache');
  return { ...env, ...changes, TOCSIN_CACHE: cache };
}

/** Arguments for a golden guard: a real one that loads instantly because it is small. */
export function goldenGuard(name: GoldenGuard): string[] {
  const { artifact, backbone } = goldenDirs(name);
  return ['--guard', artifact, '--backbone', backbone];
}

/** A line of the output by its fields. */
export interface ScoreLine {
  key: string;
  score?: number;
  harmful?: boolean;
  threshold?: number;
  tokens?: number;
  truncated?: boolean;
  error?: string;
}

export function parseLines(text: string | Buffer): ScoreLine[] {
  return String(text)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ScoreLine);
}

export async function readScores(file: string): Promise<ScoreLine[]> {
  return parseLines(await readFile(file, 'utf8'));
}

export async function writeJsonl(file: string, rows: readonly unknown[]): Promise<string> {
  await writeFile(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  return file;
}
