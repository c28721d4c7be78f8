import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type BlockFormat, type QuantizedRows, quantizeRows } from '../quantize.js';

/** A slab to quantize: the arguments of `quantizeRows`. */
export interface QuantizeRequest {
  values: Float32Array<ArrayBuffer>;
  inputs: number;
  format: BlockFormat;
}

export type QuantizeReply = { rows: QuantizedRows } | { error: unknown };

/** Each holds a slab. More would read the checkpoint faster than most disks. */
const MAX_THREADS = 8;
/** Slabs per thread below which starting it takes longer than it saves. */
const MIN_SLABS = 8;
const THREAD_MAIN = new URL(import.meta.resolve('@tocsin/backbone/quantize-thread'));

/** Quantizes slabs on all cores; a few slabs, or on one core, in this thread. */
export class QuantizeThreads {
  readonly #threads: QuantizeThread[];
  #next = 0;

  private constructor(threads: QuantizeThread[]) {
    this.#threads = threads;
  }

  /** @param slabs that will be quantized, about */
  static start(slabs: number): QuantizeThreads {
    const count = Math.min(availableParallelism(), MAX_THREADS, Math.floor(slabs / MIN_SLABS));
    return new QuantizeThreads(Array.from({ length: count < 2 ? 0 : count }, () => new QuantizeThread()));
  }

  /** Slabs to have in progress, so that every thread is busy. */
  get slabs(): number {
    return Math.max(1, this.#threads.length);
  }

  /**
   * Like `quantizeRows`. The thread takes the memory of `values`.
   * @throws RangeError when a value is not finite
   */
  async quantize(request: QuantizeRequest): Promise<QuantizedRows> {
    // In turn: slabs take about equally long.
    const thread = this.#threads[this.#next++ % this.#threads.length];
    if (thread !== undefined) return thread.quantize(request);
    return quantizeRows(request.values, request.inputs, request.format);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.stop()));
  }
}

class QuantizeThread {
  // Without the options of this process, which may preload modules.
  readonly #worker = new Worker(THREAD_MAIN, { execArgv: [] });
  /** In the order of the requests, which is that of the replies. */
  readonly #waiting: Waiting[] = [];
  #failure: Error | undefined;

  constructor() {
    this.#worker.on('message', (reply: QuantizeReply) => {
      const waiting = this.#waiting.shift();
      if ('rows' in reply) waiting?.resolve(reply.rows);
      else waiting?.reject(reply.error);
    });
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error('a thread that quantizes weights ended')));
  }

  quantize(request: QuantizeRequest): Promise<QuantizedRows> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.postMessage(request, [request.values.buffer]);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}

interface Waiting {
  resolve: (rows: QuantizedRows) => void;
  reject: (error: unknown) => void;
}
