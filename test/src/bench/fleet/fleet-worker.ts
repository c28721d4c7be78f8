import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CostModel } from '@tocsin/engine';
import type { QueueBackend } from '@tocsin/queue';

const MAIN = fileURLToPath(new URL('./worker-main.js', import.meta.url));

export interface FleetWorkerSetup {
  databaseUrl: string;
  backend: QueueBackend;
  guard: string;
  /** The simulated duration of a pass. */
  cost: CostModel;
}

/** A worker process with a simulated engine process. It waits for `go()`. */
export class FleetWorker {
  readonly pid: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    if (child.pid === undefined) throw new Error('the worker did not start');
    this.pid = child.pid;
    this.#child = child;
  }

  /** @param nodeOptions of the worker's process, e.g. to profile it */
  static async start(setup: FleetWorkerSetup, nodeOptions: readonly string[] = []): Promise<FleetWorker> {
    const child = fork(MAIN, [JSON.stringify(setup)], { execArgv: [...nodeOptions] });
    const worker = new FleetWorker(child);
    await new Promise<void>((resolve, reject) => {
      child.once('message', () => resolve());
      child.once('exit', (code) => reject(new Error(`the worker ended with ${code}`)));
    });
    return worker;
  }

  /** Starts taking parcels. */
  go(): void {
    this.#child.send('go');
  }

  /** Drains it. */
  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exit;
  }
}
