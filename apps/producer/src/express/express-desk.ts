import { setMaxListeners } from 'node:events';
import { setImmediate as turnOver } from 'node:timers/promises';
import type { Content } from '@tocsin/engine';
import { expressQueueNameOf, ParcelQueue, type QueueBackend } from '@tocsin/queue';
import {
  cancelExpress,
  type ExpressDone,
  ExpressListener,
  type KnownOutcome,
  knownOutcomes,
  type Pool,
  type RegisteredGuard,
  type SubmittedExpress,
  submitExpress,
  waitingExpress,
  withRetry,
} from '@tocsin/store';
import { cutParcels, PARCEL_LIMITS } from '../cut-parcels.js';
import { keyOf } from '../plan-window.js';
import { AskedContent, type ExpressResult } from './asked-content.js';

/** Contents that are looked up at once; what comes meanwhile is next, and shares a parcel. */
const MOST_CONTENTS = PARCEL_LIMITS.contents;
/** Whatever was missed (a message of Postgres, a job of the queue) is found so often. */
const LOOK_EVERY_MS = 1_000;

export interface DeskOptions {
  pool: Pool;
  backend: QueueBackend;
  guard: RegisteredGuard;
  /** Told of what goes wrong and is mended by itself. */
  onTrouble: (error: Error) => void;
}

/**
 * Gets scores for contents that somebody waits for: known ones from the store, the others by express parcels. Contents
 * that are asked for in one turn, or while the store is busy with others, share a parcel; one that is asked for twice is
 * in it once.
 */
export class ExpressDesk {
  readonly #options: DeskOptions;
  readonly #queue: ParcelQueue;
  readonly #asked = new Map<string, AskedContent>();
  /** Not yet looked up. */
  #fresh: AskedContent[] = [];
  #submitting = false;
  #listener: ExpressListener | undefined;
  #looking: NodeJS.Timeout | undefined;
  readonly #over = new AbortController();

  private constructor(options: DeskOptions) {
    this.#options = options;
    setMaxListeners(0, this.#over.signal);
    this.#queue = new ParcelQueue(
      options.backend,
      expressQueueNameOf(options.guard.queue),
      options.onTrouble,
    );
  }

  static async open(options: DeskOptions): Promise<ExpressDesk> {
    const desk = new ExpressDesk(options);
    try {
      const listener = await ExpressListener.open(
        options.pool,
        (done) => desk.#parcelDone(done),
        options.onTrouble,
      );
      desk.#listener = listener;
    } catch (error) {
      await desk.#queue.close();
      throw error;
    }
    desk.#lookAgainLater();
    return desk;
  }

  /** @param signal ends the wait, with its reason */
  ask(content: Content, signal: AbortSignal): Promise<ExpressResult> {
    if (this.#closed) return Promise.reject(closed());
    const key = keyOf(content.hash);
    const known = this.#asked.get(key);
    const asked = known ?? new AskedContent(content);
    if (known === undefined) {
      this.#asked.set(key, asked);
      this.#lookUp([asked]);
    }
    return asked.wait(signal, () => {
      if (!asked.wanted) this.#abandon(key, asked);
    });
  }

  /** Whoever still waits is told; their parcels are cancelled. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#over.abort(closed());
    clearTimeout(this.#looking);
    const parcels = this.#parcels();
    for (const asked of this.#asked.values()) asked.fail(closed());
    this.#asked.clear();
    this.#listener?.close();
    await cancelExpress(this.#options.pool, parcels).catch(this.#options.onTrouble);
    await this.#queue.close();
  }

  get #closed(): boolean {
    return this.#over.signal.aborted;
  }

  #lookUp(contents: AskedContent[]): void {
    this.#fresh.push(...contents);
    if (!this.#submitting) void this.#submitAll();
  }

  async #submitAll(): Promise<void> {
    this.#submitting = true;
    // Whatever is asked for in the same turn goes along; nobody waits for what may yet come.
    await turnOver();
    while (this.#fresh.length > 0 && !this.#closed) {
      const fresh = this.#fresh.splice(0, MOST_CONTENTS).filter(({ wanted }) => wanted);
      const fail = (error: unknown): void => {
        for (const asked of fresh) this.#forget(asked, () => asked.fail(error));
      };
      try {
        // A queue that is away holds nobody up whose score the store has.
        this.#dispatch(await this.#submit(fresh)).catch(fail);
      } catch (error) {
        fail(error);
      }
    }
    this.#submitting = false;
  }

  /** @returns the parcels of what is not known, to be queued */
  async #submit(fresh: AskedContent[]): Promise<number[]> {
    const { pool, guard } = this.#options;
    for (const asked of fresh) asked.submitted = false;
    const contents = new Map(fresh.map((asked) => [keyOf(asked.content.hash), asked]));
    const submitted = await Promise.all(
      cutParcels(fresh.map(({ content }) => content)).map(async (parcel) => {
        const work = (): Promise<SubmittedExpress> => submitExpress(pool, guard.id, parcel);
        const { known, parcelId } = await withRetry(work, this.#over.signal);
        const unknown = new Set(parcel.hashes.map(keyOf));
        for (const outcome of known) {
          const key = keyOf(outcome.hash);
          unknown.delete(key);
          const asked = contents.get(key);
          if (asked === undefined) continue;
          if (outcome.parcelId === null) this.#settle(asked, outcome);
          else Object.assign(asked, { parcelId: outcome.parcelId, unknown: true });
        }
        for (const key of unknown) {
          const asked = contents.get(key);
          if (asked !== undefined) Object.assign(asked, { parcelId, submitted: true, unknown: true });
        }
        return parcelId ?? [];
      }),
    );
    return submitted.flat();
  }

  async #dispatch(parcels: number[]): Promise<void> {
    await withRetry(() => this.#queue.add(parcels), this.#over.signal);
    await this.#cancelUnwanted(parcels);
  }

  #parcelDone({ parcelId, scores }: ExpressDone): void {
    if (this.#closed) return;
    const untold: AskedContent[] = [];
    for (const asked of this.#asked.values()) {
      if (asked.parcelId !== parcelId) continue;
      const score = scores.get(asked.content.hash.toString('hex'));
      if (score === undefined) untold.push(asked);
      else this.#forget(asked, () => asked.settle({ score, known: false }));
    }
    this.#collect(untold).catch(this.#trouble);
  }

  /** Gives to askers what the store has by now. */
  async #collect(contents: AskedContent[]): Promise<void> {
    if (contents.length === 0) return;
    for (const outcome of await this.#outcomesOf(contents)) {
      const asked = this.#asked.get(keyOf(outcome.hash));
      if (asked !== undefined) this.#settle(asked, outcome);
    }
  }

  #lookAgainLater(): void {
    if (this.#closed) return;
    this.#looking = setTimeout(() => {
      this.#lookAgain()
        .catch(this.#trouble)
        .finally(() => this.#lookAgainLater());
    }, LOOK_EVERY_MS);
    this.#looking.unref();
  }

  /** Finds what no message told of, what the queue has lost, and what another process has given up. */
  async #lookAgain(): Promise<void> {
    const { pool } = this.#options;
    await this.#collect([...this.#asked.values()].filter(({ parcelId }) => parcelId !== undefined));
    const gone = new Set(this.#parcels());
    const waiting = await waitingExpress(pool, [...gone]);
    for (const parcelId of waiting) gone.delete(parcelId);
    const lost = [...this.#asked.values()].filter(({ parcelId }) => parcelId && gone.has(parcelId));
    for (const asked of lost) asked.parcelId = undefined;
    if (lost.length > 0) this.#lookUp(lost);
    await this.#queue.add(waiting);
  }

  async #outcomesOf(contents: AskedContent[]): Promise<KnownOutcome[]> {
    const { pool, guard } = this.#options;
    const hashes = contents.map(({ content }) => content.hash);
    return withRetry(() => knownOutcomes(pool, guard.id, hashes), this.#over.signal);
  }

  /** Tells the askers what the store has, if it is something that they want to know. */
  #settle(asked: AskedContent, outcome: KnownOutcome): void {
    const { score, error, errorIsFresh } = outcome;
    if (score !== null) this.#forget(asked, () => asked.settle({ score, known: !asked.unknown }));
    else if (error !== null && (errorIsFresh || asked.submitted))
      this.#forget(asked, () => asked.settle({ error }));
  }

  /** In this order: who is told may ask again at once. */
  #forget(asked: AskedContent, tell: () => void): void {
    const key = keyOf(asked.content.hash);
    if (this.#asked.get(key) === asked) this.#asked.delete(key);
    tell();
  }

  #abandon(key: string, asked: AskedContent): void {
    if (this.#asked.get(key) === asked) this.#asked.delete(key);
    const { parcelId, submitted } = asked;
    if (parcelId !== undefined && submitted) this.#cancelUnwanted([parcelId]).catch(this.#trouble);
  }

  /** Cancels those of our parcels that nobody here waits for: no worker has to score for an asker who has left. */
  async #cancelUnwanted(parcels: number[]): Promise<void> {
    const wanted = new Set(this.#parcels());
    await cancelExpress(
      this.#options.pool,
      parcels.filter((parcelId) => !wanted.has(parcelId)),
    );
  }

  /** What goes wrong after the end is nobody's trouble. */
  readonly #trouble = (error: Error): void => {
    if (!this.#closed) this.#options.onTrouble(error);
  };

  #parcels(): number[] {
    return [...new Set([...this.#asked.values()].flatMap(({ parcelId }) => parcelId ?? []))];
  }
}

const closed = (): Error => new Error('the express scorer is closed');
