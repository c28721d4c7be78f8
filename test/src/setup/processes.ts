import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@tocsin/postgres';

export interface Process {
  pid: number;
  parent: number;
  /** Program and arguments. */
  command: string;
}

/** All live processes; a zombie, which waits for its parent, is not live. */
export function processes(): Process[] {
  return existsSync('/proc/self/stat') ? fromProc() : fromPs();
}

/** The child processes of `pid`. */
export function childrenOf(pid: number): Process[] {
  return processes().filter(({ parent }) => parent === pid);
}

/** Live processes whose command contains `word`, e.g. a directory that only they use. */
export function processesNaming(word: string): Process[] {
  return processes().filter(({ pid, command }) => pid !== process.pid && command.includes(word));
}

/** Polls until the result is defined. The limit is the test's own timeout. */
export async function until<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(50);
  }
}

/** Waits until all processes have ended. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  await until(() => (processes().some(({ pid }) => pids.includes(pid)) ? undefined : true));
}

function fromProc(): Process[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      // pid (name, which may contain anything) state parent ...
      const [state, parent] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      if (state === 'Z' || state === 'X') return [];
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return [{ pid: Number(name), parent: Number(parent), command }];
    } catch {
      // It has ended between the two reads.
      return [];
    }
  });
}

function fromPs(): Process[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,stat=,args='], { encoding: 'utf8' }).split('\n');
  return lines.flatMap((line) => {
    const [, pid, parent, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    if (state === undefined || state.startsWith('Z')) return [];
    return [{ pid: Number(pid), parent: Number(parent), command: command ?? '' }];
  });
}

/** Waits until a statement in the pool's database waits for a table or row lock. */
export async function untilLockIsAwaited(pool: Pool): Promise<void> {
  await until(async () => {
    const { rowCount } = await pool.query(
      `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    return rowCount === 0 ? undefined : true;
  });
}
