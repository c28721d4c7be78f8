import { type Job, WaitingError } from 'bullmq';
import {
  type JobQueue,
  type JobWorker,
  openJobQueue,
  openJobWorker,
  type ParcelJob,
  type QueueBackend,
} from './backend.js';
import { closeQueue, closeWorker } from './farewell.js';

/**
 * The queue that workers of a guard read. One for each guard: a worker takes only what it can score. And one for each
 * database: two that share a Redis server never take each other's parcels.
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

/** The producer's end: dispatches parcels to workers. It may lose everything, and no work is lost (invariant 1). */
export class ParcelQueue {
  readonly #queue: JobQueue;

  /** @param onError told of a connection that breaks; the queue mends it by itself */
  constructor(backend: QueueBackend, name: string, onError: (error: Error) => void = () => {}) {
    this.#queue = openJobQueue(backend, name);
    this.#queue.on('error', onError);
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

  /** Takes parcels out of the queue again; one that a worker holds stays. */
  async remove(parcelIds: readonly number[]): Promise<void> {
    for (const parcelId of parcelIds) await this.#queue.remove(`${JOB_PREFIX}${parcelId}`);
  }

  /** Takes seconds at most, also when the server is away: what was to be queued is lost then, and a reconciler queues it. */
  close(): Promise<void> {
    return closeQueue(this.#queue);
  }
}

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
