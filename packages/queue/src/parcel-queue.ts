import { type JobQueue, openJobQueue, type QueueBackend } from './backend.js';
import { closeQueue } from './farewell.js';

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
export const parcelIdOf = (jobId: string): number => Number(jobId.slice(JOB_PREFIX.length));

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
