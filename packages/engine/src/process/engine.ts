import { notEnoughMemory, OutOfMemoryError } from '../batches/out-of-memory.js';
import { requireDevice } from '../devices/probe-device.js';
import { EngineDiedError, EngineProcess, type EngineResult } from './engine-process.js';
import type { EngineOptions, EngineRequest } from './engine-protocol.js';

/** Time limit of a forward pass, after which its process is replaced. */
const HUNG_AFTER_MS = 10 * 60_000;
/** Attempts to start a process that dies while loading, since it may have been killed from outside. */
const MAX_STARTS = 3;

export interface EngineEvents {
  /** An engine process died and another takes its place. */
  onRestart?: (reason: string) => void;
}

/** Checks a process with its model loaded; throws when it must not be used. */
export type Verify = (engine: EngineProcess) => Promise<void>;

/** An engine process that is started at its first use and replaced when it has died. */
export class Engine {
  readonly #options: EngineOptions;
  readonly #events: EngineEvents;
  readonly #main: string | undefined;
  #process: Promise<EngineProcess> | undefined;
  readonly #verify: Verify | undefined;
  #isVerified = false;
  #closed = false;

  /**
   * @param main   the program of the process; defaults to Tocsin's own
   * @param verify checks the first process before it is used
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
   * Runs forward passes.
   * @param recall recalls the request, see EngineProcess.run
   * @throws EngineDiedError when the process died, OutOfMemoryError when an allocation failed; the next call starts a new
   *   process
   */
  async run(request: EngineRequest, recall?: AbortSignal): Promise<EngineResult> {
    const engine = await this.#running();
    const timer = setTimeout(() => engine.kill(), HUNG_AFTER_MS);
    try {
      return await engine.run(request, recall);
    } catch (error) {
      // Its memory is fragmented or the device is lost: start another process.
      if (error instanceof OutOfMemoryError) {
        engine.kill('out of memory');
        await engine.exited;
      }
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Frees an ended stream's memory in the process. */
  forget(stream: number): void {
    // One that failed to start has no memory, and its callers have the error.
    this.#process?.then((engine) => engine.forget(stream)).catch(() => {});
  }

  async close(): Promise<void> {
    this.#closed = true;
    const running = this.#process;
    this.#process = undefined;
    if (running === undefined) return;
    // A process that failed to start needs no closing, and its callers have the error.
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
    // A probe explains a missing device better than a model that fails to load. A stand-in has no device.
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

/** The result of one forward pass. */
export interface BatchResult {
  /** P(harmful) of each row. */
  scores: Float32Array;
  /** Milliseconds in the engine process. */
  runMs: number;
}

/**
 * Runs one forward pass, for batching and calibration. Passes run in call order; one that `recall` aborts before it
 * starts rejects with a RecalledError.
 */
export type RunBatch = (
  tokenIds: Int32Array,
  lengths: Int32Array,
  recall?: AbortSignal,
) => Promise<BatchResult>;

/** Runs forward passes over whole rows with an engine started for batches. */
export function batchesOf(engine: Engine): RunBatch {
  return async (tokenIds, lengths, recall) => {
    const { scores, runMs } = await engine.run({ type: 'batch', tokenIds, lengths }, recall);
    const [ofRows] = scores;
    if (ofRows?.length !== lengths.length) throw new Error('a pass gave another number of scores than rows');
    return { scores: ofRows, runMs };
  };
}
