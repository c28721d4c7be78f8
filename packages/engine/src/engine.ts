import { requireDevice } from './devices/probe-device.js';
import { EngineDiedError, EngineProcess, type EngineResult } from './engine-process.js';
import type { EngineOptions, EngineRequest } from './engine-protocol.js';

/** A forward pass that takes longer than this hangs: its process is replaced. */
const HUNG_AFTER_MS = 10 * 60_000;
/** A process that dies while it loads is tried again: somebody may have killed it. Not for ever. */
const MAX_STARTS = 3;

export interface EngineEvents {
  /** An engine process died and another takes its place. */
  onRestart?: (reason: string) => void;
}

/** An engine process that is there when it is needed: started at the first use, replaced when it has died. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #events: EngineEvents;
  readonly #main: string | undefined;
  #process: Promise<EngineProcess> | undefined;
  #closed = false;

  /** @param main the program of the process, if not Tocsin's own */
  constructor(options: EngineOptions, events: EngineEvents = {}, main?: string) {
    this.#options = options;
    this.#events = events;
    this.#main = main;
  }

  /** The process' id, while one runs. */
  async pid(): Promise<number | undefined> {
    return (await this.#process)?.pid;
  }

  /** Starts the process if none runs, and waits for its model. */
  async start(): Promise<void> {
    await this.#running();
  }

  /**
   * Forward passes.
   * @param recall asks the request back, see EngineProcess.run
   * @throws EngineDiedError when the process died over it; the next call has a new process
   */
  async run(request: EngineRequest, recall?: AbortSignal): Promise<EngineResult> {
    const engine = await this.#running();
    const timer = setTimeout(() => engine.kill(), HUNG_AFTER_MS);
    try {
      return await engine.run(request, recall);
    } finally {
      clearTimeout(timer);
    }
  }

  /** A stream is over: what a running process keeps for it can go. */
  forget(stream: number): void {
    // One that failed to start keeps nothing; whoever waited for it has the error.
    this.#process?.then((engine) => engine.forget(stream)).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined) return;
    // A process that failed to start has nothing to be closed; whoever waited for it has the error.
    const engine = await running.catch(() => undefined);
    await engine?.close();
  }

  async #running(): Promise<EngineProcess> {
    if (this.#closed) throw new Error('the engine is closed');
    const current = this.#process;
    if (current !== undefined) {
      const engine = await current;
      if (engine.alive) return engine;
      if (this.#process === current) this.#process = undefined;
    }
    this.#process ??= this.#startProcess();
    return this.#process;
  }

  async #startProcess(): Promise<EngineProcess> {
    // Better told by a look beforehand than by what a model says that does not load.
    await requireDevice(this.#options.device).catch((error: unknown) => {
      this.#process = undefined;
      throw error;
    });
    for (let start = 1; ; start++) {
      try {
        const engine = await EngineProcess.start(this.#options, this.#main);
        void engine.exited.then(() => {
          if (!this.#closed) this.#events.onRestart?.(`engine process ${engine.pid} ended`);
        });
        return engine;
      } catch (error) {
        if (error instanceof EngineDiedError && start < MAX_STARTS && !this.#closed) continue;
        this.#process = undefined;
        throw error;
      }
    }
  }
}
