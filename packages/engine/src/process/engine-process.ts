import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { OutOfMemoryError, saysOutOfMemory } from '../batches/out-of-memory.js';
import type { EngineMessage, EngineOptions, EngineReply, EngineRequest } from './engine-protocol.js';

/** The engine process went away while it was needed. */
export class EngineDiedError extends Error {
  constructor(how: string) {
    super(`the engine process died (${how})`);
    this.name = 'EngineDiedError';
  }
}

/** A request was recalled before its forward pass started. */
export class RecalledError extends Error {
  constructor() {
    super('the request was asked back before it began');
    this.name = 'RecalledError';
  }
}

/** The result of a request. */
export interface EngineResult {
  /** See EngineReply. */
  scores: Float32Array[];
  /** Milliseconds in the engine process. */
  runMs: number;
}

interface Waiting {
  resolve(result: EngineResult): void;
  reject(error: Error): void;
}

const failure = (message: string): Error =>
  saysOutOfMemory(message) ? new OutOfMemoryError(message) : new Error(message);

/** By package name, which resolves to the built file even from a test that runs the sources. */
const ENGINE_MAIN = fileURLToPath(import.meta.resolve('@tocsin/engine/engine-main'));
/** Time for a process to end after disconnect before it is killed. */
const CLOSE_GRACE_MS = 5_000;

/** One engine process, from start to end. `Engine` replaces it when it dies. */
export class EngineProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, Waiting>();
  readonly #exited: Promise<void>;
  #nextId = 0;
  #deathReason: string | undefined;
  #killedFor: string | undefined;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', () => resolve()));
    child.on('message', (reply: EngineReply) => this.#take(reply));
    child.once('exit', (code, signal) =>
      this.#die(signal === null ? `exit code ${code}` : `signal ${signal}`),
    );
    child.once('error', (error) => this.#die(error.message));
  }

  /**
   * Starts an engine process and waits until its model is loaded.
   * @param main the program to run
   * @throws EngineDiedError when it dies before that; OutOfMemoryError; Error with onnxruntime's message when the model does not load
   */
  static async start(options: EngineOptions, main = ENGINE_MAIN): Promise<EngineProcess> {
    const child = fork(main, [JSON.stringify(options)], {
      serialization: 'advanced',
      // Its standard output would mix with scores that a command writes to its own.
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [],
    });
    const engine = new EngineProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.once('message', (reply: EngineReply) => {
        if (reply.type === 'load-failed') {
          void engine.close();
          reject(failure(`the model did not load: ${reply.message}`));
        } else resolve();
      });
      child.once('exit', () => reject(engine.#death()));
      child.once('error', () => reject(engine.#death()));
    });
    return engine;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#deathReason === undefined;
  }

  /** Resolves when the process has ended. */
  get exited(): Promise<void> {
    return this.#exited;
  }

  /**
   * Runs forward passes. Calls may overlap: the process takes them in order, with the next one queued.
   * @param recall recalls the request; ignored once it has started
   * @throws EngineDiedError when the process dies before it answers; OutOfMemoryError; RecalledError
   */
  async run(request: EngineRequest, recall?: AbortSignal): Promise<EngineResult> {
    if (!this.alive) throw this.#death();
    if (recall?.aborted === true) throw new RecalledError();
    const id = this.#nextId++;
    const sendRecall = (): void => {
      if (this.alive) this.#send({ recall: id }, () => {});
    };
    recall?.addEventListener('abort', sendRecall);
    try {
      return await this.#answerTo(id, request);
    } finally {
      recall?.removeEventListener('abort', sendRecall);
    }
  }

  #answerTo(id: number, request: EngineRequest): Promise<EngineResult> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ id, request }, (error) => {
        // The exit handler rejects everything that waits; this is for a send that fails by itself.
        if (error !== null && this.#waiting.delete(id)) reject(new EngineDiedError(error.message));
      });
    });
  }

  /** Frees an ended stream's memory in the process. */
  forget(stream: number): void {
    if (this.alive) this.#send({ forget: stream }, () => {});
  }

  /** Ends the process. Running work is lost. */
  async close(): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.kill(), CLOSE_GRACE_MS);
    await this.#exited;
    clearTimeout(timer);
  }

  /** Why it ended; undefined while it runs. */
  get deathReason(): string | undefined {
    return this.#deathReason;
  }

  /** @param reason reported instead of the signal */
  kill(reason?: string): void {
    if (this.alive) this.#killedFor = reason;
    this.#child.kill('SIGKILL');
  }

  #send(message: EngineMessage, done: (error: Error | null) => void): void {
    this.#child.send(message, done);
  }

  #take(reply: EngineReply): void {
    if (reply.type === 'ready' || reply.type === 'load-failed') return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.type === 'scores') waiting?.resolve({ scores: reply.scores, runMs: reply.runMs });
    else waiting?.reject(reply.type === 'recalled' ? new RecalledError() : failure(reply.message));
  }

  #die(reason: string): void {
    this.#deathReason ??= this.#killedFor ?? reason;
    for (const { reject } of this.#waiting.values()) reject(this.#death());
    this.#waiting.clear();
  }

  #death(): EngineDiedError {
    return new EngineDiedError(this.#deathReason ?? 'unknown reason');
  }
}
