import { codeOf, messageOf, redactUrls, UserError } from '@tocsin/core';
import type { Environment } from '../cache/cache-directory.js';
import { type CommandResult, runCommand } from './run-command.js';

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
 * The first pip that answers: `TOCSIN_PYTHON -m pip` when that variable is set (and then nothing else is tried), else
 * `python3 -m pip`, `python -m pip`, `pip3`, `pip`.
 * @throws UserError saying what was tried and how each failed
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

/** @returns undefined when it works. A Python without pip, and the Windows store's stand-in for Python, end here too. */
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

/** The last lines that tell what went wrong, on one line, fit to be shown. */
export function lastLines(result: CommandResult, count: number): string {
  const text = result.stderr.trim() || result.stdout.trim();
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => /^\s*(error|fatal)\b/i.test(line));
  const chosen = (errors.length > 0 ? errors : lines).slice(-count).map((line) => line.trim());
  const ending = result.signal === undefined ? `exit code ${result.exitCode}` : `ended by ${result.signal}`;
  return chosen.length === 0 ? ending : redactUrls(chosen.join(' | '));
}
