import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type GoldenGuard, goldenDirs } from '@tocsin/siren/testing';
import { inject } from 'vitest';
import { until } from './processes.js';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COMMAND = join(ROOT, 'apps', 'tocsin', 'bin', 'tocsin.js');

/** What a command came to. */
export interface Ended {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: Buffer;
  stderr: string;
}

export interface TocsinOptions {
  /** Added to a clean environment; undefined takes a variable out. */
  env?: NodeJS.ProcessEnv;
  /** What standard input holds; nothing when not given. */
  stdin?: Buffer | string;
  /** Whether more of it is to be expected, for ever. */
  stdinStaysOpen?: boolean;
  /** The working directory. */
  cwd?: string;
}

/** The real command, as a process of its own. */
export class TocsinProcess {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  /** What it has said on standard error so far. */
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
   * Waits until it says something on standard error.
   * @returns what the pattern's first group holds, or all that it matches
   * @throws Error with all that it has said when it ends instead
   */
  async said(pattern: RegExp): Promise<string> {
    let over = false;
    const end = (): void => {
      over = true;
    };
    this.ended.then(end, end);
    return until(() => {
      // Asked before the look: what it said last counts.
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

/** The machine's environment without servers or directories of the person who runs the tests. */
function cleanEnv(changes: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { DATABASE_URL: _, REDIS_URL: __, TOCSIN_DATA: ___, ...env } = process.env;
  // Guards are compiled and calibrated once for all tests.
  const cache = changes.TOCSIN_CACHE ?? join(inject('scratch'), 'cache');
  return { ...env, ...changes, TOCSIN_CACHE: cache };
}

/** Names a golden guard: a real one, and so small that it loads in an instant. */
export function goldenGuard(name: GoldenGuard): string[] {
  const { artifact, backbone } = goldenDirs(name);
  return ['--guard', artifact, '--backbone', backbone];
}

/** A line of the output, by its fields. */
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
