import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { codeOf } from '@tocsin/core';

/**
 * A process by number and start time (`"4711@128934"`). Numbers are reused, above all in containers, where the number of a
 * dead process often belongs to another one after a restart.
 */
export type ProcessIdentity = string;

/** The identity of a running process; undefined if there is none, or it is a zombie. */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const found =
    process.platform === 'linux'
      ? parseStat(await readProc(pid, 'stat'))
      : parsePs(await ps(pid, 'stat=,lstart='));
  return found === undefined || found.state.startsWith('Z') || found.state.startsWith('X')
    ? undefined
    : `${pid}@${found.start}`;
}

/** The identity of this process. */
export async function identifySelf(): Promise<ProcessIdentity> {
  const self = await identify(process.pid);
  if (self === undefined) {
    throw new Error(`process ${process.pid} cannot find itself (is /proc mounted, or ps installed?)`);
  }
  return self;
}

export async function isRunning(identity: ProcessIdentity): Promise<boolean> {
  const pid = Number.parseInt(identity, 10);
  return pid > 0 && (await identify(pid)) === identity;
}

/** The command line of a process, words separated by NUL (Linux) or blanks; '' when it cannot be read. */
export async function commandLine(pid: number): Promise<string> {
  return process.platform === 'linux' ? readProc(pid, 'cmdline') : ps(pid, 'command=');
}

/** `/proc/<pid>/stat`: the command in brackets may hold anything, so the fields are counted after the last ")". */
export function parseStat(text: string): { state: string; start: string } | undefined {
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const state = fields[0];
  const start = fields[19];
  return state === undefined || start === undefined ? undefined : { state, start };
}

/** One line of `ps -o stat=,lstart=`, as macOS prints it. */
export function parsePs(text: string): { state: string; start: string } | undefined {
  const [state, ...start] = text.trim().split(/\s+/);
  return state === undefined || start.length === 0 ? undefined : { state, start: start.join('_') };
}

async function readProc(pid: number, file: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(codeOf(error) ?? '')) return '';
    throw error;
  }
}

async function ps(pid: number, columns: string): Promise<string> {
  try {
    return (
      await promisify(execFile)('ps', ['-o', columns, '-p', String(pid)], {
        env: { ...process.env, LC_ALL: 'C' },
      })
    ).stdout;
  } catch (error) {
    // ps ends with 1 when there is no such process.
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 1) return '';
    throw error;
  }
}
