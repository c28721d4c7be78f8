import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@tocsin/core';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** Message from a worker to its parent when it is ready for parcels. */
export const READY = 'worker ready';
/**
 * Restarts before the worker was ever ready are limited, because it would only die again. Later deaths are caused by a
 * parcel, which is quarantined after a few.
 */
const MAX_EARLY_DEATHS = 3;
/** Bytes kept of a worker's standard error. */
const KEPT_CHARACTERS = 16 * 1024;

export interface WorkerChildOptions {
  /** Arguments of `tocsin work`. */
  args: string[];
  env: NodeJS.ProcessEnv;
  onRestart: (message: string) => void;
  /** Receives the worker's standard error; by default it is shown only when the worker fails. */
  onOutput?: (text: string) => void;
}

/** A `tocsin work` process that is restarted when it dies, until it is closed. */
export class WorkerChild {
  readonly #options: WorkerChildOptions;
  readonly #failed = new AbortController();
  #child: ChildProcess;
  #errorTail = '';
  #ready = false;
  #earlyDeaths = 0;
  #closing = false;

  constructor(options: WorkerChildOptions) {
    this.#options = options;
    this.#child = this.#start();
  }

  /** Aborts when the worker cannot run, with the reason. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Lets the worker finish its parcels, and waits for its exit. */
  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    child.kill('SIGTERM');
    await exited;
  }

  #start(): ChildProcess {
    this.#ready = false;
    this.#errorTail = '';
    const child = fork(MAIN, ['work', ...this.#options.args], {
      env: this.#options.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errorTail = (this.#errorTail + text).slice(-KEPT_CHARACTERS);
      this.#options.onOutput?.(text);
    });
    child.on('message', (message) => {
      if (message === READY) this.#ready = true;
    });
    child.once('error', (error) => this.#failed.abort(error));
    // 'close' rather than 'exit': by then all output has been read.
    child.once('close', (code, signal) => this.#ended(code, signal));
    return child;
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#closing || this.#failed.signal.aborted) return;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    this.#earlyDeaths = this.#ready ? 0 : this.#earlyDeaths + 1;
    // A worker that exits by itself has printed why; only a killed one is restarted.
    if (signal === null || this.#earlyDeaths >= MAX_EARLY_DEATHS) {
      const said = this.#options.onOutput === undefined ? this.#errorTail.trim() : '';
      this.#failed.abort(
        new UserError(`the worker process ended (${how})${said === '' ? '' : `:\n${said}`}`),
      );
      return;
    }
    this.#options.onRestart(`The worker process died (${how}); starting another`);
    this.#child = this.#start();
  }
}
