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

  /** Queues parcels, in order. One that is queued already stays where it is. */
  async add(parcelIds: number[]): Promise<void> {
    const jobs = parcelIds.map((parcelId) => ({
      name: 'score',
      data: { parcelId },
      opts: { jobId: `${JOB_PREFIX}${parcelId}` },
    }));
    const [first] = jobs;
    if (first === undefined) return;
    // In Postgres, BullMQ's way for many takes eight times as long for one as its way for one (10 ms and 1.3 ms).
    if (jobs.length === 1) await this.#queue.add(first.name, first.data, first.opts);
    else await this.#queue.addBulk(jobs);
  }

  /** Takes seconds at most, also when the server is away: what was to be queued is lost then, and a reconciler queues it. */
  close(): Promise<void> {
    return closeQueue(this.#queue);
  }
}
