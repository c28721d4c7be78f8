import type { LaneName, Scorer } from '@tocsin/engine';
import { expressQueueNameOf, GiveBack, ParcelWorker, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { type ContentOutcome, completeParcel, leaseParcel, type Pool, withRetry } from '@tocsin/store';

/** Tokens of a full parcel. */
const PARCEL_TOKENS = 2048;
/** Tokens for the batch that runs and for the one after it. */
const BATCHES_HELD = 2;

/** Express parcels held at once: what is held while a pass runs shares the next one. */
const EXPRESS_HELD = 64;

/** A parcel that is handed out so often has probably ended workers. */
const SUSPICIOUS = 4;

/** Parcels held at once: enough for the batches in flight, and one that is being fetched or stored. */
function parcelsHeld(budgetTokens: number): number {
  return 1 + Math.ceil((BATCHES_HELD * budgetTokens) / PARCEL_TOKENS);
}

export interface WorkerOptions {
  pool: Pool;
  backend: QueueBackend;
  /** The uuid that names the guard's queue. */
  queue: string;
  scorer: Pick<Scorer, 'score' | 'costModel'>;
  /** Told of what goes wrong and is mended by itself. */
  onTrouble?: (error: Error) => void;
  /** Told of a parcel that the queue hands out again and again: workers die over it. */
  onRepeated?: (parcelId: number, handedOut: number) => void;
  /** Told of a parcel that could not be finished: the engine is broken, or Postgres is away for good. */
  onFailure: (error: Error) => void;
}

/** Takes parcels from the queue, scores them and stores their scores, until `close()`. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #bulk: ParcelWorker;
  readonly #express: ParcelWorker;
  readonly #drainEnds = new AbortController();
  #givenBack = 0;

  constructor(options: WorkerOptions) {
    this.#options = options;
    const { queue, scorer } = options;
    this.#bulk = this.#take(queueNameOf(queue), 'bulk', parcelsHeld(scorer.costModel.budgetTokens));
    this.#express = this.#take(expressQueueNameOf(queue), 'express', EXPRESS_HELD);
  }

  async ready(): Promise<void> {
    await Promise.all([this.#bulk.ready(), this.#express.ready()]);
  }

  /**
   * Drains: takes nothing new, finishes what it holds.
   * @param limitMs what it has not finished by then is given back to the queue
   * @returns how many parcels were given back
   */
  async close(limitMs?: number): Promise<number> {
    const ends =
      limitMs === undefined ? undefined : setTimeout(() => this.#drainEnds.abort(new GiveBack()), limitMs);
    try {
      await Promise.all([this.#bulk.close(), this.#express.close()]);
    } finally {
      clearTimeout(ends);
    }
    return this.#givenBack;
  }

  #take(queue: string, lane: LaneName, concurrency: number): ParcelWorker {
    const { backend, onTrouble } = this.#options;
    return new ParcelWorker(
      backend,
      queue,
      (parcelId, handedOut) => this.#handle(parcelId, handedOut, lane),
      { concurrency, ...(onTrouble === undefined ? {} : { onError: onTrouble }) },
    );
  }

  async #handle(parcelId: number, handedOut: number, lane: LaneName): Promise<void> {
    if (handedOut >= SUSPICIOUS) this.#options.onRepeated?.(parcelId, handedOut);
    try {
      await this.#scoreParcel(parcelId, lane);
    } catch (error) {
      if (error instanceof GiveBack) this.#givenBack++;
      else this.#options.onFailure(error as Error);
      throw error;
    }
  }

  async #scoreParcel(parcelId: number, lane: LaneName): Promise<void> {
    const { pool, scorer } = this.#options;
    const drainEnds = this.#drainEnds.signal;
    const parcel = await withRetry(() => leaseParcel(pool, parcelId), drainEnds);
    // Done by another worker, or cancelled: nothing is left to do.
    if (parcel === undefined) return;
    const outcomes = await unless(drainEnds, scorer.score(parcel.tokenIds, { lane }));
    const stored = parcel.hashes.map((hash, i): ContentOutcome => {
      const outcome = outcomes[i];
      if (outcome === undefined)
        throw new Error(`${parcel.hashes.length} contents gave ${outcomes.length} outcomes`);
      const { score = null, error = null } = outcome;
      return { hash, score, error, tokenIds: parcel.tokenIds[i] };
    });
    await withRetry(() => completeParcel(pool, parcelId, stored), drainEnds);
  }
}

/** What `work` comes to, or the signal's reason if that comes first; `work` is then no longer waited for. */
async function unless<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  let stop = (): void => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
