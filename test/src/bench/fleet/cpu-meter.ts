import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@tocsin/postgres';
import { childrenOf } from '../../setup/processes.js';

const EVERY_MS = 250;
/** Clock ticks a second of /proc: 100 on every Linux that Node runs on. */
const TICK_MS = 10;

/** Processes of ours whose time counts, by their part of the pipeline. */
export type MeteredProcesses = Record<string, readonly number[]>;

/**
 * Processor time by part of the pipeline, read from /proc: unlike rows a second it hardly depends on what else the
 * machine does.
 */
export class CpuMeter {
  readonly #pool: Pool;
  readonly #processes: () => MeteredProcesses;
  /** Of each process: its part, and milliseconds at the first and the last look. */
  readonly #seen = new Map<number, { part: string; first: number; last: number }>();
  #running = true;
  readonly #looking: Promise<void>;

  /** @param processes asked at every look: workers come, and have engines */
  constructor(pool: Pool, processes: () => MeteredProcesses) {
    this.#pool = pool;
    this.#processes = processes;
    this.#looking = this.#look();
  }

  /** Ends the measurement. @returns milliseconds of processor time by part */
  async stop(): Promise<Map<string, number>> {
    this.#running = false;
    await this.#looking;
    await this.#sample();
    const parts = new Map<string, number>();
    for (const { part, first, last } of this.#seen.values())
      parts.set(part, (parts.get(part) ?? 0) + last - first);
    return parts;
  }

  async #look(): Promise<void> {
    while (this.#running) {
      await this.#sample();
      await sleep(EVERY_MS);
    }
  }

  async #sample(): Promise<void> {
    for (const [part, pids] of Object.entries(this.#processes()))
      for (const pid of pids) this.#see(pid, part);
    const { rows } = await this.#pool.query<{ pid: number; part: string }>(
      `select pid, case when application_name = '' then 'background' else application_name end as part
       from pg_stat_activity
       -- One that is still connecting has no name yet.
       where backend_type <> 'client backend' or application_name not in ('', 'tocsin bench')`,
    );
    for (const { pid, part } of rows) this.#see(pid, `Postgres: ${part}`);
  }

  #see(pid: number, part: string): void {
    const ms = processorMs(pid);
    if (ms === undefined) return;
    const seen = this.#seen.get(pid);
    if (seen === undefined) this.#seen.set(pid, { part, first: ms, last: ms });
    else seen.last = ms;
  }
}

/** The engine processes of workers. */
export const enginesOf = (workers: readonly number[]): number[] =>
  workers.flatMap((pid) => childrenOf(pid).map((child) => child.pid));

/** User and system time of a process and its threads; undefined when it has ended. */
function processorMs(pid: number): number | undefined {
  try {
    // pid (name) state ppid ... utime and stime are the 14th and 15th field.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}
