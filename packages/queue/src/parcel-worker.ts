import { type Job, WaitingError } from 'bullmq';
import { type JobWorker, openJobWorker, type ParcelJob, type QueueBackend } from './backend.js';
import { closeWorker } from './farewell.js';
import { parcelIdOf } from './parcel-queue.js';

export interface ParcelWorkerOptions {
  /** Parcels held at once, at most. */
  concurrency: number;
  /** Tokens after which no further parcel is taken: asked for each time. By default only `concurrency` counts. */
  heldTokens?: () => number;
  /** Told of a connection that breaks; the worker mends it by itself. */
  onError?: (error: Error) => void;
  /** Told of each parcel whose lease this worker found to have run out, whosever it was. */
  onLeaseLost?: (parcelId: number) => void;
}

/** What `handle` throws to hand a parcel back: it waits again, at the front, and another worker takes it at once. */
export class GiveBack extends Error {
  constructor() {
    super('the parcel is given back');
    this.name = 'GiveBack';
  }
}

/** The worker's end: leases parcels, renews the leases while `handle` works, and gives up what it cannot finish. */
export class ParcelWorker {
  readonly #worker: JobWorker;
  readonly #options: ParcelWorkerOptions;
  /** Tokens of the parcels that are held, as far as their jobs say. */
  #tokens = 0;
  readonly #held = new Set<Promise<void>>();

  /**
   * @param handle scores a parcel. When it fails, the queue forgets the parcel, and a reconciler brings it back.
   */
  constructor(
    backend: QueueBackend,
    name: string,
    handle: (parcelId: number) => Promise<void>,
    options: ParcelWorkerOptions,
  ) {
    this.#options = options;
    const take = async (job: Job<ParcelJob>, token?: string): Promise<void> => {
      try {
        await this.#hold(handle(job.data.parcelId));
      } catch (error) {
        if (!(error instanceof GiveBack)) throw error;
        await job.moveToWait(token);
        throw new WaitingError();
      } finally {
        this.#count(-(job.data.tokens ?? 0));
      }
    };
    this.#worker = openJobWorker(backend, name, take, options.concurrency);
    this.#worker.onFetch = (data) => this.#count('tokens' in data ? (data.tokens ?? 0) : 0);
    this.#worker.on('error', options.onError ?? (() => {}));
    this.#worker.on('stalled', (jobId) => options.onLeaseLost?.(parcelIdOf(jobId)));
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Takes nothing new, and waits until what it holds is finished; not for a server that is away. */
  close(): Promise<void> {
    return closeWorker(this.#worker, async () => {
      while (this.#held.size > 0) await Promise.allSettled(this.#held);
    });
  }

  /** A worker whose hands are full takes no more, and finishes what it holds. */
  #count(tokens: number): void {
    const { concurrency, heldTokens } = this.#options;
    this.#tokens += tokens;
    if (heldTokens !== undefined) this.#worker.concurrency = this.#tokens < heldTokens() ? concurrency : 1;
  }

  async #hold(work: Promise<void>): Promise<void> {
    this.#held.add(work);
    try {
      await work;
    } finally {
      this.#held.delete(work);
    }
  }
}
