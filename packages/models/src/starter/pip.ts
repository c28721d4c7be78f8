import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { codeOf, messageOf, redactUrls, UserError } from '@tocsin/core';
import type { Environment } from '../cache/cache-directory.js';

/** How to call pip: a command and its first arguments. */
export interface Pip {
  command: string;
  args: readonly string[];
}

const CANDIDATES: readonly Pip[] = [
  { command: 'python3', args: ['-m', 'pip'] },
  { command: 'python', args: ['-m', 'pip'] },
  { command: 'pip3', args: [] },
  { command: 'pip', args: [] },
];

/**
 * The first pip that works: only `TOCSIN_PYTHON -m pip` when that variable is set, otherwise
 * `python3 -m pip`, `python -m pip`, `pip3`, `pip`.
 * @throws UserError listing what was tried and how each failed
 */
export async function findPip(env: Environment, signal?: AbortSignal): Promise<Pip> {
  const python = env.TOCSIN_PYTHON;
  const candidates = python ? [{ command: python, args: ['-m', 'pip'] }] : CANDIDATES;
  const failures: string[] = [];
  for (const pip of candidates) {
    const failure = await whyNotUsable(pip, env, signal);
    if (failure === undefined) return pip;
    failures.push(`${[pip.command, ...pip.args].join(' ')}: ${failure}`);
  }
  const named = python ? 'TOCSIN_PYTHON names a Python without a usable pip' : 'no usable pip was found';
  throw new UserError(`${named} (${failures.join('; ')})`);
}

/** @returns undefined when it works; otherwise why not, e.g. a Python without pip or the Windows Store's stub. */
async function whyNotUsable(
  pip: Pip,
  env: Environment,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  let result: CommandResult;
  try {
    result = await runCommand(pip.command, [...pip.args, '--version'], { env, signal });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'not found';
    if (signal?.aborted || codeOf(error) === undefined) throw error;
    return messageOf(error);
  }
  if (result.exitCode === 0 && /^pip \d/.test(result.stdout)) return undefined;
  return lastLines(result, 1);
}

/** The last error lines, joined and safe to display. */
function lastLines(result: CommandResult, count: number): string {
  const text = result.stderr.trim() || result.stdout.trim();
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /^\s*(error|fatal)\b/i.test(line));
  const chosen = (errors.length > 0 ? errors : lines).slice(-count).map((line) => line.trim());
  const ending = result.signal === undefined ? `exit code ${result.exitCode}` : `ended by ${result.signal}`;
  return chosen.length === 0 ? ending : redactUrls(chosen.join(' | '));
}

const SHOWN_ERROR_LINES = 4;

export interface PipDownloadOptions {
  env: Environment;
  signal?: AbortSignal;
  /** Selects a wheel independently of the Python that runs pip. */
  wheelOf?: { python: string; abi: string; platform: string };
}

/**
 * Downloads one wheel with the machine's pip, which knows its index, proxy and certificates. Installs and runs nothing.
 *
 * @param requirement exact, as `name==1.2.3`
 * @param directory   an existing empty directory, also for pip's temporary files
 * @returns the wheel's path in `directory`
 * @throws UserError when there is no pip, or with pip's last error lines (credentials hidden)
 */
export async function pipDownload(
  requirement: string,
  directory: string,
  options: PipDownloadOptions,
): Promise<string> {
  const pip = await findPip(options.env, options.signal);
  const shown = [pip.command, ...pip.args].join(' ');
  const env = {
    ...options.env,
    TMPDIR: directory,
    TEMP: directory,
    TMP: directory,
    NO_COLOR: '1',
    PYTHONIOENCODING: 'utf-8',
    // Overrides a rule against installing outside a virtual environment: nothing is installed here.
    PIP_REQUIRE_VIRTUALENV: '0',
  };
  const args = ['download', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'];
  args.push('--no-deps', '--only-binary=:all:', '--dest', directory, requirement);
  if (options.wheelOf !== undefined) {
    const { python, abi, platform } = options.wheelOf;
    args.push('--implementation', 'cp', '--python-version', python, '--abi', abi, '--platform', platform);
  }
  const result = await runCommand(pip.command, [...pip.args, ...args], { env, signal: options.signal });
  if (result.exitCode !== 0) {
    throw new UserError(
      `${shown} could not download ${requirement}: ${lastLines(result, SHOWN_ERROR_LINES)}`,
    );
  }
  const wheels = (await readdir(directory)).filter((name) => name.endsWith('.whl'));
  const [wheel] = wheels;
  if (wheel === undefined || wheels.length > 1) {
    throw new UserError(
      `${shown} ended well, but left ${wheels.length} wheels instead of one for ${requirement}`,
    );
  }
  return join(directory, wheel);
}

/** Characters kept from the end of each output, where the errors are. */
const KEPT_CHARACTERS = 64 * 1024;

/** The result of a command. */
export interface CommandResult {
  /** undefined when a signal ended it */
  exitCode: number | undefined;
  signal: NodeJS.Signals | undefined;
  /** The end of standard output, without colours. */
  stdout: string;
  /** The end of standard error, without colours. */
  stderr: string;
}

/**
 * Runs a command to its end, without a shell or standard input.
 * @throws the system's error (`ENOENT`, `EACCES`, ...) when it cannot be started; the signal's reason when aborted,
 *   after the command has ended
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { env: Environment; signal?: AbortSignal },
): Promise<CommandResult> {
  const { env, signal } = options;
  signal?.throwIfAborted();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  // SIGKILL, since its partial results are discarded.
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  const stdout = keepEnd(child.stdout);
  const stderr = keepEnd(child.stderr);
  try {
    const ended = await new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => resolve({ code, by }));
    });
    signal?.throwIfAborted();
    return {
      exitCode: ended.code ?? undefined,
      signal: ended.by ?? undefined,
      stdout: stripVTControlCharacters(stdout()),
      stderr: stripVTControlCharacters(stderr()),
    };
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

function keepEnd(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(-KEPT_CHARACTERS);
  });
  return () => text;
}
