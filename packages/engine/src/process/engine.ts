import { notEnoughMemory, OutOfMemoryError } from '../batches/out-of-memory.js';
import { requireDevice } from '../devices/probe-device.js';
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

/** Looks at a process with its model loaded, and throws when it is not to be used. */
export type Verify = (engine: EngineProcess) => Promise<void>;

/** An engine process that is there when it is needed: started at the first use, replaced when it has died. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #events: EngineEvents;
  readonly #main: string | undefined;
  #process: Promise<EngineProcess> | undefined;
  readonly #verify: Verify | undefined;
  #isVerified = false;
  #closed = false;

  /**
   * @param main   the program of the process, if not Tocsin's own
   * @param verify looks at the first process before it is used
   */
  constructor(options: EngineOptions, events: EngineEvents = {}, main?: string, verify?: Verify) {
    this.#options = options;
    this.#events = events;
    this.#main = main;
    this.#verify = verify;
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
   * @throws EngineDiedError when the process died over it, OutOfMemoryError when an allocation failed; the next call has
   * a new process
   */
  async run(request: EngineRequest, recall?: AbortSignal): Promise<EngineResult> {
    const engine = await this.#running();
    const timer = setTimeout(() => engine.kill(), HUNG_AFTER_MS);
    try {
      return await engine.run(request, recall);
    } catch (error) {
      // What is left of its memory is in pieces, or the device is lost: another process begins with all of it.
      if (error instanceof OutOfMemoryError) {
        engine.kill('out of memory');
        await engine.exited;
      }
      throw error;
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
    // Better told by a look beforehand than by what a model says that does not load. A stand-in has no device.
    if (this.#main === undefined) {
      await requireDevice(this.#options.device).catch((error: unknown) => {
        this.#process = undefined;
        throw error;
      });
    }
    for (let start = 1; ; start++) {
      try {
        const engine = await EngineProcess.start(this.#options, this.#main);
        void engine.exited.then(() => {
          if (!this.#closed)
            this.#events.onRestart?.(`engine process ${engine.pid} ended (${engine.deathReason})`);
        });
        await this.#verified(engine);
        return engine;
      } catch (error) {
        if (error instanceof EngineDiedError && start < MAX_STARTS && !this.#closed) continue;
        this.#process = undefined;
        if (error instanceof OutOfMemoryError) throw await notEnoughMemory(this.#options, error);
        throw error;
      }
    }
  }

  async #verified(engine: EngineProcess): Promise<void> {
    if (this.#isVerified || this.#verify === undefined) return;
    try {
      await this.#verify(engine);
      this.#isVerified = true;
    } catch (error) {
      await engine.close();
      throw error;
    }
  }
}
