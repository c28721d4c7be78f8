import { Queue, type QueueOptions } from 'bullmq';
import type { Cluster } from 'ioredis';

/** BullMQ's queue on a Redis Cluster: it leaves a client that was given to it open, and this one is the queue's own. */
export class ClusterQueue<Data> extends Queue<Data> {
  readonly #cluster: Cluster;

  constructor(name: string, options: Omit<QueueOptions, 'connection'> & { connection: Cluster }) {
    super(name, options);
    this.#cluster = options.connection;
  }

  override async close(): Promise<void> {
    await super.close();
    this.#cluster.disconnect();
  }

  override async disconnect(): Promise<void> {
    await super.disconnect();
    this.#cluster.disconnect();
  }
}
