import { type Job, WaitingError } from 'bullmq';
import {
  closeQueue,
  closeWorker,
  type JobQueue,
  type JobWorker,
  listenForErrors,
  openJobQueue,
  openJobWorker,
  type ParcelJob,
  type QueueBackend,
} from './backend.js';

/**
 * The queue of a guard's workers. One per guard, because a worker can score only its own guard's parcels, and one per
 * database, so that databases that share a Redis server never take each other's parcels.
 * @param queue the uuid that the guard has in its database
 */
export function queueNameOf(queue: string): string {
  return `parcels-${queue}`;
}

/** The queue of the same guard's express parcels: workers read both, and no parcel waits behind bulk. */
export function expressQueueNameOf(queue: string): string {
  return `express-${queue}`;
}

/** An interactive parcel on its way to the workers. */
export interface QueuedParcel {
  id: number;
  tokens: number;
  /** From 0. Parcels of an earlier turn are taken first, whenever they were queued. */
  turn: number;
}

/** BullMQ's highest priority. */
const LAST_TURN = 2_000_000;

const JOB_PREFIX = 'parcel-';

/** The parcel that a job is for, by the job's id. */
const parcelIdOf = (jobId: string): number => Number(jobId.slice(JOB_PREFIX.length));

/** The producer: dispatches parcels to workers. It may lose everything without losing work (invariant 1). */
export class ParcelQueue {
  readonly #queue: JobQueue;

  /** @param onError called with connection errors; the queue reconnects on its own */
  constructor(backend: QueueBackend, name: string, onError: (error: Error) => void = () => {}) {
    this.#queue = openJobQueue(backend, name);
    listenForErrors(backend, this.#queue, onError);
  }

  /** Queues parcels: a run's by their ids, in order; interactive ones by turns. One that is queued stays where it is. */
  async add(parcels: readonly (number | QueuedParcel)[]): Promise<void> {
    const jobs = parcels.map((parcel) => {
      if (typeof parcel === 'number')
        return { name: 'score', data: { parcelId: parcel }, opts: { jobId: `${JOB_PREFIX}${parcel}` } };
      const { id, tokens, turn } = parcel;
      const opts = { jobId: `${JOB_PREFIX}${id}`, priority: 1 + Math.min(turn, LAST_TURN) };
      return { name: 'score', data: { parcelId: id, tokens }, opts };
    });
    const [first] = jobs;
    if (first === undefined) return;
    // In Postgres, BullMQ's way for many takes eight times as long for one as its way for one (10 ms and 1.3 ms).
    if (jobs.length === 1) await this.#queue.add(first.name, first.data, first.opts);
    else await this.#queue.addBulk(jobs);
  }

  /** Removes parcels from the queue, except those that a worker holds. */
  async remove(parcelIds: readonly number[]): Promise<void> {
    for (const parcelId of parcelIds) await this.#queue.remove(`${JOB_PREFIX}${parcelId}`);
  }

  /** Takes seconds at most, also when the server is away: what was to be queued is lost then, and a reconciler queues it. */
  close(): Promise<void> {
    return closeQueue(this.#queue);
  }
}

export interface ParcelWorkerOptions {
  /** Most parcels held at once. */
  concurrency: number;
  /** Token limit above which no further parcel is taken; read before each. Default: only `concurrency` limits. */
  heldTokens?: () => number;
  /** Called with connection errors; the worker reconnects on its own. */
  onError?: (error: Error) => void;
  /** Called with each parcel whose lease expired, when this worker detects it. */
  onLeaseLost?: (parcelId: number) => void;
}

/** Thrown by `handle` to release a parcel (nack): it returns to the front of the queue for another worker. */
export class ReleasedError extends Error {
  constructor() {
    super('the parcel is released');
    this.name = 'ReleasedError';
  }
}

/** The consumer: leases parcels, renews the leases while `handle` runs, and releases what it cannot finish. */
export class ParcelWorker {
  readonly #worker: JobWorker;
  readonly #options: ParcelWorkerOptions;
  /** Tokens of the held parcels, as far as known from their jobs. */
  #tokens = 0;
  readonly #held = new Set<Promise<void>>();

  /**
   * @param handle scores a parcel. If it fails, the queue drops the parcel, and the reconciler queues it again.
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
        if (!(error instanceof ReleasedError)) throw error;
        await job.moveToWait(token);
        throw new WaitingError();
      } finally {
        this.#count(-(job.data.tokens ?? 0));
      }
    };
    this.#worker = openJobWorker(backend, name, take, options.concurrency);
    this.#worker.onFetch = (data) => this.#count('tokens' in data ? (data.tokens ?? 0) : 0);
    listenForErrors(backend, this.#worker, options.onError ?? (() => {}));
    this.#worker.on('stalled', (jobId) => options.onLeaseLost?.(parcelIdOf(jobId)));
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Takes no new parcels and waits for the current ones, but not for an unreachable server. */
  close(): Promise<void> {
    return closeWorker(this.#worker, async () => {
      while (this.#held.size > 0) await Promise.allSettled(this.#held);
    });
  }

  /** A worker at its limit takes no more parcels and finishes the current ones. */
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
