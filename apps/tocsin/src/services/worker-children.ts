import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { UserError } from '@tocsin/core';

const MAIN = fileURLToPath(new URL('../main.js', import.meta.url));
/** What a worker tells the command that has started it, when it takes parcels. */
export const READY = 'worker ready';
/**
 * A worker that dies again and again before it is ready would only die again. What it dies over later is a parcel: after
 * a few deaths that is found, and no worker has it any more.
 */
const MAX_EARLY_DEATHS = 3;
/** What is kept of a worker's last words. */
const KEPT_CHARACTERS = 16 * 1024;

export interface WorkerChildOptions {
  /** Arguments of `tocsin work`. */
  args: string[];
  env: NodeJS.ProcessEnv;
  onRestart: (message: string) => void;
  /** Sees what the worker says on standard error; without it, that is shown only when the worker fails. */
  onOutput?: (text: string) => void;
}

/** A `tocsin work` process that is replaced when it dies, until it is closed. */
export class WorkerChild {
  readonly #options: WorkerChildOptions;
  readonly #failed = new AbortController();
  #child: ChildProcess;
  #lastWords = '';
  #ready = false;
  #earlyDeaths = 0;
  #closing = false;

  constructor(options: WorkerChildOptions) {
    this.#options = options;
    this.#child = this.#start();
  }

  /** Aborts when the worker cannot work, with the reason. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  /** Lets the worker finish what it holds, and waits for its end. */
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
    this.#lastWords = '';
    const child = fork(MAIN, ['work', ...this.#options.args], {
      env: this.#options.env,
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      execArgv: [],
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#lastWords = (this.#lastWords + text).slice(-KEPT_CHARACTERS);
      this.#options.onOutput?.(text);
    });
    child.on('message', (message) => {
      if (message === READY) this.#ready = true;
    });
    child.once('error', (error) => this.#failed.abort(error));
    // 'close' and not 'exit': the last words have then been read.
    child.once('close', (code, signal) => this.#ended(code, signal));
    return child;
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#closing || this.#failed.signal.aborted) return;
    const how = signal === null ? `exit code ${code}` : `signal ${signal}`;
    this.#earlyDeaths = this.#ready ? 0 : this.#earlyDeaths + 1;
    // A worker that ends by itself has said why; only one that was killed is worth another try.
    if (signal === null || this.#earlyDeaths >= MAX_EARLY_DEATHS) {
      const said = this.#options.onOutput === undefined ? this.#lastWords.trim() : '';
      this.#failed.abort(
        new UserError(`the worker process ended (${how})${said === '' ? '' : `:\n${said}`}`),
      );
      return;
    }
    this.#options.onRestart(`The worker process died (${how}); starting another`);
    this.#child = this.#start();
  }
}
