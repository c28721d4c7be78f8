import { setMaxListeners } from 'node:events';
import type { LaneName, Scorer } from '@tocsin/engine';
import { expressQueueNameOf, GiveBack, ParcelWorker, type QueueBackend, queueNameOf } from '@tocsin/queue';
import { type ContentOutcome, completeParcel, leaseParcel, type Pool, withRetry } from '@tocsin/store';
import { type ParcelMeasure, type Tracing, untraced } from '@tocsin/telemetry';

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
  /** Told of each parcel that the worker is through with. */
  onParcel?: (parcel: ParcelMeasure) => void;
  /** Told of each lease that ran out: its worker was killed, or hung. */
  onLeaseLost?: (lane: LaneName) => void;
  tracing?: Tracing;
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
    // One for each parcel that is held, which is no leak.
    setMaxListeners(0, this.#drainEnds.signal);
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
    const { backend, onTrouble, onLeaseLost } = this.#options;
    return new ParcelWorker(
      backend,
      queue,
      (parcelId, handedOut) => this.#handle(parcelId, handedOut, lane),
      {
        concurrency,
        onLeaseLost: () => onLeaseLost?.(lane),
        ...(onTrouble === undefined ? {} : { onError: onTrouble }),
      },
    );
  }

  async #handle(parcelId: number, handedOut: number, lane: LaneName): Promise<void> {
    const { onRepeated, onParcel } = this.#options;
    if (handedOut >= SUSPICIOUS) onRepeated?.(parcelId, handedOut);
    const started = performance.now();
    const over = (outcome: ParcelMeasure['outcome'], scored: number, failed: number): void =>
      onParcel?.({ lane, outcome, scored, failed, seconds: (performance.now() - started) / 1000 });
    try {
      const stored = await this.#scoreParcel(parcelId, lane);
      if (stored === undefined) return;
      const failed = stored.filter(({ error }) => error !== null).length;
      over('done', stored.length - failed, failed);
    } catch (error) {
      over(error instanceof GiveBack ? 'given_back' : 'failed', 0, 0);
      if (error instanceof GiveBack) this.#givenBack++;
      else this.#options.onFailure(error as Error);
      throw error;
    }
  }

  /** @returns what is stored; undefined when there was nothing to do: done by another worker, or cancelled */
  async #scoreParcel(parcelId: number, lane: LaneName): Promise<ContentOutcome[] | undefined> {
    const { pool, scorer, tracing = untraced } = this.#options;
    const drainEnds = this.#drainEnds.signal;
    const facts = { 'tocsin.parcel': parcelId, 'tocsin.class': lane };
    const parcel = await tracing.within('parcel lease', facts, () =>
      withRetry(() => leaseParcel(pool, parcelId), drainEnds),
    );
    if (parcel === undefined) return undefined;
    const outcomes = await tracing.within(
      'parcel score',
      { ...facts, 'tocsin.contents': parcel.hashes.length },
      () => unless(drainEnds, scorer.score(parcel.tokenIds, { lane })),
    );
    const stored = parcel.hashes.map((hash, i): ContentOutcome => {
      const outcome = outcomes[i];
      if (outcome === undefined)
        throw new Error(`${parcel.hashes.length} contents gave ${outcomes.length} outcomes`);
      const { score = null, error = null } = outcome;
      // Whoever asked for an express row asks again, and brings it along.
      return { hash, score, error, tokenIds: lane === 'bulk' ? parcel.tokenIds[i] : undefined };
    });
    await tracing.within('parcel complete', facts, () =>
      withRetry(() => completeParcel(pool, parcelId, stored), drainEnds),
    );
    return stored;
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
