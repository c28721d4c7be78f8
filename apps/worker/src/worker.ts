import type { Scorer } from '@tocsin/engine';
import { ParcelWorker, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { type ContentOutcome, completeParcel, leaseParcel, type Pool, withRetry } from '@tocsin/store';

/** Tokens of a full parcel. */
const PARCEL_TOKENS = 2048;
/** Tokens for the batch that runs and for the one after it. */
const BATCHES_HELD = 2;

/** Parcels held at once: enough for the batches in flight, and one that is being fetched or stored. */
function parcelsHeld(budgetTokens: number): number {
  return 1 + Math.ceil((BATCHES_HELD * budgetTokens) / PARCEL_TOKENS);
}

export interface WorkerOptions {
  pool: Pool;
  backend: QueueBackend;
  /** The guard's: which queue is read. */
  fingerprint: string;
  scorer: Pick<Scorer, 'score' | 'costModel'>;
  /** Told of what goes wrong and is mended by itself. */
  onTrouble?: (error: Error) => void;
  /** Told of a parcel that could not be finished: the engine is broken, or Postgres is away for good. */
  onFailure: (error: Error) => void;
}

/** Takes parcels from the queue, scores them and stores their scores, until `close()`. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #parcels: ParcelWorker;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#parcels = new ParcelWorker(
      options.backend,
      queueNameOf(options.fingerprint),
      (parcelId) => this.#handle(parcelId),
      {
        concurrency: parcelsHeld(options.scorer.costModel.budgetTokens),
        ...(options.onTrouble === undefined ? {} : { onError: options.onTrouble }),
      },
    );
  }

  ready(): Promise<void> {
    return this.#parcels.ready();
  }

  /** Drains: takes nothing new, finishes what it holds. */
  close(): Promise<void> {
    return this.#parcels.close();
  }

  async #handle(parcelId: number): Promise<void> {
    try {
      await this.#scoreParcel(parcelId);
    } catch (error) {
      this.#options.onFailure(error as Error);
      throw error;
    }
  }

  async #scoreParcel(parcelId: number): Promise<void> {
    const { pool, scorer } = this.#options;
    const parcel = await withRetry(() => leaseParcel(pool, parcelId));
    // Done by another worker, or cancelled: nothing is left to do.
    if (parcel === undefined) return;
    const outcomes = await scorer.score(parcel.tokenIds);
    const stored = parcel.hashes.map((hash, i): ContentOutcome => {
      const outcome = outcomes[i];
      if (outcome === undefined)
        throw new Error(`${parcel.hashes.length} contents gave ${outcomes.length} outcomes`);
      return { hash, score: outcome.score ?? null, error: outcome.error ?? null };
    });
    await withRetry(() => completeParcel(pool, parcelId, stored));
  }
}
