import { setTimeout as sleep } from 'node:timers/promises';
import { childrenOf } from '../setup/processes.js';
import type { Ended, TocsinProcess } from '../setup/tocsin.js';

/** Pause before a worker that could not start is restarted. */
const PAUSE_MS = 500;

/** A worker that is restarted whenever it ends, as by an orchestrator. */
export class SupervisedWorker {
  readonly #start: () => TocsinProcess;
  readonly #kept: Promise<void>;
  #process: TocsinProcess;
  /** It may not have ended yet. */
  #killed: TocsinProcess | undefined;
  #over = false;
  /** Last output of processes that ended without being killed. */
  readonly lastOutput: string[] = [];

  constructor(start: () => TocsinProcess) {
    this.#start = start;
    this.#process = start();
    this.#kept = this.#keep();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Whether it takes parcels. */
  get ready(): boolean {
    return this.#process !== this.#killed && this.#process.stderr.includes('worker ready');
  }

  get enginePid(): number | undefined {
    return childrenOf(this.pid).find(({ command }) => command.includes('engine-main'))?.pid;
  }

  kill(): void {
    this.#killed = this.#process;
    this.#process.kill('SIGKILL');
  }

  /** Drains it. @returns how it ended */
  async stop(): Promise<Ended> {
    this.#over = true;
    this.#process.kill('SIGTERM');
    await this.#kept;
    return this.#process.ended;
  }

  /** Kills it without a restart. */
  async end(): Promise<void> {
    this.#over = true;
    this.kill();
    await this.#kept;
  }

  async #keep(): Promise<void> {
    for (;;) {
      const { signal, stderr } = await this.#process.ended;
      if (this.#over) return;
      if (signal === null) {
        this.lastOutput.push(lastOutput(stderr));
        await sleep(PAUSE_MS);
        if (this.#over) return;
      }
      this.#process = this.#start();
    }
  }
}

const TRACE_LINES = 8;
const DEFECT = 'tocsin: this is a defect';

/** A failed command's message without its hint; for a crash, where it happened. */
export function lastOutput(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const said = lines.findLast((line) => line.startsWith('tocsin:'));
  if (said !== undefined && !said.startsWith(DEFECT)) return said;
  const crash = lines.findLastIndex((line) => line.startsWith(DEFECT) || /^\w*Error\b/.test(line));
  return lines.slice(crash).slice(0, TRACE_LINES).join('\n    ');
}
