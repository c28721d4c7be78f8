import { setMaxListeners } from 'node:events';
import { abortable, type LaneName } from '@tocsin/core';
import type { RowOutcome, Scorer } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import {
  expressQueueNameOf,
  ParcelWorker,
  type QueueBackend,
  queueNameOf,
  ReleasedError,
} from '@tocsin/queue';
import {
  type ContentOutcome,
  completeParcel,
  countLostLease,
  type LeasedParcel,
  leaseParcel,
} from '@tocsin/store';
import { type ParcelMeasure, type Tracing, untraced } from '@tocsin/telemetry';
import { ExclusiveLock, isQuarantined, scoreQuarantined, type Verdict } from './quarantine.js';

/** Tokens of a full parcel. */
const PARCEL_TOKENS = 2048;
/** Tokens for the running batch and the next one. */
const BATCHES_HELD = 2;

/**
 * Maximum interactive parcels held at once: single texts that arrive during a pass share the next one. No more are taken once
 * those held fill a pass, so at most two passes are held, one of them running. The rest stays in the queue, where clients
 * take turns and cancelled parcels cost no pass.
 */
const EXPRESS_HELD = 64;

/** Parcels held at once: enough for the batches in flight, and one being fetched or stored. */
function parcelsHeld(budgetTokens: number): number {
  return 1 + Math.ceil((BATCHES_HELD * budgetTokens) / PARCEL_TOKENS);
}

export interface WorkerOptions {
  pool: Pool;
  backend: QueueBackend;
  /** The uuid that names the guard's queue. */
  queue: string;
  scorer: Pick<Scorer, 'score' | 'costModel'>;
  /** Called with recoverable errors. */
  onError?: (error: Error) => void;
  /** Called with the steps of handling quarantined parcels. */
  onSuspect?: (parcelId: number, verdict: Verdict) => void;
  /** Called with a parcel that could not be finished: the engine is broken, or Postgres is unreachable. */
  onFailure: (error: Error) => void;
  /** Called with each finished parcel. */
  onParcel?: (parcel: ParcelMeasure) => void;
  /** Called with each expired lease: its worker was killed, or hung. */
  onLeaseLost?: (lane: LaneName) => void;
  tracing?: Tracing;
}

/** Takes parcels from the queue, scores them and stores the scores, until `close()`. */
export class Worker {
  readonly #options: WorkerOptions;
  readonly #bulk: ParcelWorker;
  readonly #express: ParcelWorker;
  readonly #drainEnds = new AbortController();
  readonly #lock = new ExclusiveLock();
  #released = 0;
  /** Expired leases being recorded in the store. */
  #counting: Promise<void> = Promise.resolve();

  constructor(options: WorkerOptions) {
    this.#options = options;
    // One listener per held parcel, which is not a leak.
    setMaxListeners(0, this.#drainEnds.signal);
    const { queue, scorer } = options;
    this.#bulk = this.#take(queueNameOf(queue), 'bulk', parcelsHeld(scorer.costModel.budgetTokens));
    this.#express = this.#take(expressQueueNameOf(queue), 'express', EXPRESS_HELD);
  }

  async ready(): Promise<void> {
    await Promise.all([this.#bulk.ready(), this.#express.ready()]);
  }

  /**
   * Drains: takes no new parcels and finishes those held.
   * @param limitMs after this time unfinished parcels are released to the queue
   * @returns the number of released parcels
   */
  async close(limitMs?: number): Promise<number> {
    const ends =
      limitMs === undefined
        ? undefined
        : setTimeout(() => this.#drainEnds.abort(new ReleasedError()), limitMs);
    try {
      await Promise.all([this.#bulk.close(), this.#express.close()]);
    } finally {
      clearTimeout(ends);
    }
    await this.#counting;
    return this.#released;
  }

  #take(queue: string, lane: LaneName, concurrency: number): ParcelWorker {
    const { backend, onError, onLeaseLost } = this.#options;
    const { scorer } = this.#options;
    return new ParcelWorker(backend, queue, (parcelId) => this.#handle(parcelId, lane), {
      concurrency,
      heldTokens: lane === 'express' ? () => scorer.costModel.budgetTokens : undefined,
      onLeaseLost: (parcelId) => {
        onLeaseLost?.(lane);
        this.#countLostLease(parcelId);
      },
      onError,
    });
  }

  #countLostLease(parcelId: number): void {
    const { pool, onError } = this.#options;
    this.#counting = this.#counting
      .then(() => countLostLease(pool, parcelId))
      .catch((error: Error) => onError?.(error));
  }

  async #handle(parcelId: number, lane: LaneName): Promise<void> {
    const { onParcel } = this.#options;
    const started = performance.now();
    const over = (outcome: ParcelMeasure['outcome'], scored: number, failed: number): void =>
      onParcel?.({ lane, outcome, scored, failed, seconds: (performance.now() - started) / 1000 });
    try {
      const outcomes = await this.#scoreParcel(parcelId, lane);
      if (outcomes === undefined) return;
      const failed = outcomes.filter(({ error }) => error !== undefined).length;
      over('done', outcomes.length - failed, failed);
    } catch (thrown) {
      // After the drain timeout its statements are cancelled.
      const error: unknown = this.#drainEnds.signal.aborted ? this.#drainEnds.signal.reason : thrown;
      over(error instanceof ReleasedError ? 'given_back' : 'failed', 0, 0);
      if (error instanceof ReleasedError) this.#released++;
      else this.#options.onFailure(error as Error);
      throw error;
    }
  }

  /**
   * @returns what is stored; undefined when there was nothing to do (done by another worker, cancelled) or the parcel
   * was split
   */
  async #scoreParcel(parcelId: number, lane: LaneName): Promise<RowOutcome[] | undefined> {
    const signal = this.#drainEnds.signal;
    const parcel = await this.#lease(parcelId, lane);
    if (parcel === undefined) return undefined;
    if (!isQuarantined(parcel)) {
      return this.#lock.shared(
        async () => this.#store(parcel, lane, await this.#score(parcel, lane)),
        signal,
      );
    }
    // A dying worker loses the leases of all its parcels, so no other parcel may run beside this one.
    return this.#lock.exclusive(async () => {
      const { pool, onSuspect: onVerdict, onError } = this.#options;
      const score = (leased: LeasedParcel): Promise<RowOutcome[]> => this.#score(leased, lane);
      const outcomes = await scoreQuarantined(parcel, { pool, score, onVerdict, onError, signal });
      return outcomes && this.#store(parcel, lane, outcomes);
    }, signal);
  }

  #lease(parcelId: number, lane: LaneName): Promise<LeasedParcel | undefined> {
    const { pool, tracing = untraced } = this.#options;
    return tracing.within('parcel lease', factsOf(parcelId, lane), () =>
      withRetry(() => leaseParcel(pool, parcelId), this.#drainEnds.signal),
    );
  }

  #score({ id, hashes, tokenIds }: LeasedParcel, lane: LaneName): Promise<RowOutcome[]> {
    const { scorer, tracing = untraced } = this.#options;
    const facts = { ...factsOf(id, lane), 'tocsin.contents': hashes.length };
    return tracing.within('parcel score', facts, () =>
      abortable(scorer.score(tokenIds, { lane }), this.#drainEnds.signal),
    );
  }

  async #store(
    { id, hashes, tokenIds }: LeasedParcel,
    lane: LaneName,
    outcomes: RowOutcome[],
  ): Promise<RowOutcome[]> {
    const { pool, tracing = untraced } = this.#options;
    const stored = hashes.map((hash, i): ContentOutcome => {
      const outcome = outcomes[i];
      const ids = tokenIds[i];
      if (outcome === undefined || ids === undefined)
        throw new Error(`${hashes.length} contents gave ${outcomes.length} outcomes`);
      const { score = null, error = null } = outcome;
      // Requests for an express row poll the store, and enqueue it again.
      return { hash, tokens: ids.length, score, error, tokenIds: lane === 'bulk' ? ids : undefined };
    });
    await tracing.within('parcel complete', factsOf(id, lane), () =>
      withRetry(() => completeParcel(pool, id, stored), this.#drainEnds.signal),
    );
    return outcomes;
  }
}

const factsOf = (parcelId: number, lane: LaneName) => ({
  'tocsin.parcel': parcelId,
  'tocsin.class': lane,
});
