import { type JobWorker, openJobWorker, type QueueBackend } from './backend.js';

export interface ParcelWorkerOptions {
  /** Parcels held at once. */
  concurrency: number;
  /** Told of a connection that breaks; the worker mends it by itself. */
  onError?: (error: Error) => void;
}

/** The worker's end: leases parcels, renews the leases while `handle` works, and gives up what it cannot finish. */
export class ParcelWorker {
  readonly #worker: JobWorker;

  /**
   * @param handle scores a parcel. When it fails, the queue forgets the parcel, and a reconciler brings it back.
   */
  constructor(
    backend: QueueBackend,
    name: string,
    handle: (parcelId: number) => Promise<void>,
    options: ParcelWorkerOptions,
  ) {
    this.#worker = openJobWorker(backend, name, (job) => handle(job.data.parcelId), options.concurrency);
    this.#worker.on('error', options.onError ?? (() => {}));
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Takes nothing new, and waits until what it holds is finished. */
  close(): Promise<void> {
    return this.#worker.close();
  }
}
