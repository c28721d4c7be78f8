import { type LaneName, within } from '@tocsin/core';

/** What waits of one class. */
export interface QueueDepth {
  lane: LaneName;
  parcels: number;
  tokens: number;
  /** Age of the oldest; 0 when there is none. */
  oldestSeconds: number;
}

export type ReadQueue = () => Promise<QueueDepth[]>;

/** However many scrape, and however often: Postgres counts once in so long. */
const KEPT_MS = 5_000;
/** A scrape has ten seconds as a rule; a database that is away must not cost it the other metrics. */
const LONGEST_MS = 3_000;

/** Remembers for some seconds what waits, and asks once for all who want to know. */
export class CachedQueueReader {
  readonly #read: ReadQueue;
  #answer: Promise<QueueDepth[] | undefined> | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(read: ReadQueue) {
    this.#read = read;
  }

  /** @returns undefined when the database does not say: then nothing is known, which is not 0 */
  read(now = performance.now()): Promise<QueueDepth[] | undefined> {
    if (this.#answer === undefined || now - this.#askedAt >= KEPT_MS) {
      this.#askedAt = now;
      this.#answer = within(LONGEST_MS, this.#read()).catch(() => undefined);
    }
    return this.#answer;
  }
}
