import { setMaxListeners } from 'node:events';
import { setImmediate as turnOver } from 'node:timers/promises';
import { Loop } from '@tocsin/core';
import type { Content } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import { expressQueueNameOf, ParcelQueue, type QueueBackend, type QueuedParcel } from '@tocsin/queue';
import {
  cancelExpress,
  type ExpressDone,
  ExpressListener,
  type KnownOutcome,
  knownOutcomes,
  type NewParcel,
  type RegisteredGuard,
  type SubmittedExpress,
  submitExpress,
  waitingExpress,
} from '@tocsin/store';
import { cutParcels, keyOf } from '../submit/plan-window.js';
import { Turns } from './admission.js';
import { AskedContent, type AskedParcel, AskedParcels, type ExpressResult } from './asked-content.js';

/** Token limit of an interactive parcel: at most one pass on a CPU, so that no request waits for several passes. */
const PARCEL_LIMITS = { tokens: 512, contents: 256 };
/** Limits of one look-up; contents that arrive meanwhile share the next look-up and parcels. */
const AT_ONCE = { contents: 256, tokens: 16 * 1024 };
/** Concurrent statements: other requests need connections too. */
const STATEMENTS = 4;
/** Polling interval for missed notifications and lost jobs. */
const LOOK_EVERY_MS = 1_000;
/** Contents per poll, oldest first. */
const LOOK_AT = { parcels: 256, contents: 1024 };

export interface DeskOptions {
  pool: Pool;
  backend: QueueBackend;
  guard: RegisteredGuard;
  /** Called with recoverable errors. */
  onError: (error: Error) => void;
}

/**
 * Gets scores for interactive requests: cached ones from the store, the others through interactive parcels. Contents
 * requested in one turn of the event loop, or while the store is busy, share a parcel; a content requested twice is in one
 * parcel once.
 * Clients take turns, here and in the queue: the first 512 tokens of each come before any client's next 512. Contents that
 * no request waits for any more are cancelled, here, in the queue and in the store.
 */
export class ExpressDesk {
  readonly #options: DeskOptions;
  readonly #queue: ParcelQueue;
  readonly #asked = new Map<string, AskedContent>();
  readonly #parcels = new AskedParcels();
  /** Not yet looked up. */
  readonly #fresh = new Turns<AskedContent>();
  /** Tokens of each client in parcels of this process: they come before its next requests. */
  readonly #ahead = new Map<string, number>();
  #submitting = false;
  /** Parcels of this process that no request waits for any more. */
  #unwanted: number[] = [];
  #withdrawing = false;
  #queueing: Promise<void> = Promise.resolve();
  #listener: ExpressListener | undefined;
  #looking: Loop | undefined;
  readonly #over = new AbortController();

  private constructor(options: DeskOptions) {
    this.#options = options;
    setMaxListeners(0, this.#over.signal);
    this.#queue = new ParcelQueue(options.backend, expressQueueNameOf(options.guard.queue), options.onError);
  }

  static async open(options: DeskOptions): Promise<ExpressDesk> {
    const desk = new ExpressDesk(options);
    try {
      const listener = await ExpressListener.open(
        options.pool,
        (done) => desk.#parcelDone(done),
        options.onError,
      );
      desk.#listener = listener;
    } catch (error) {
      await desk.#queue.close();
      throw error;
    }
    desk.#looking = new Loop(() => desk.#lookAgain(), {
      everyMs: LOOK_EVERY_MS,
      pauseFirst: true,
      keepAlive: false,
      onError: desk.#trouble,
    });
    return desk;
  }

  /**
   * @param signal ends the wait, with its reason
   * @param client whose turn it is
   */
  ask(content: Content, signal: AbortSignal, client = ''): Promise<ExpressResult> {
    if (this.#closed) return Promise.reject(closed());
    const key = keyOf(content.hash);
    const known = this.#asked.get(key);
    const asked = known ?? new AskedContent(content, client);
    if (known === undefined) {
      this.#asked.set(key, asked);
      this.#lookUp([asked]);
    } else if (client !== known.client) this.#hasten(known, client);
    return asked.wait(signal, () => {
      if (!asked.wanted) this.#abandon(asked);
    });
  }

  /** Requests that still wait are rejected; their parcels are cancelled. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#over.abort(closed());
    void this.#looking?.close();
    const parcels = [...this.#parcels.ours(), ...this.#unwanted.splice(0)];
    for (const asked of this.#asked.values()) asked.fail(closed());
    this.#asked.clear();
    this.#parcels.clear();
    this.#listener?.close();
    await cancelExpress(this.#options.pool, parcels).catch(this.#options.onError);
    await this.#queue.close();
  }

  get #closed(): boolean {
    return this.#over.signal.aborted;
  }

  #lookUp(contents: AskedContent[]): void {
    for (const asked of contents) {
      asked.fresh = true;
      this.#fresh.add(asked.client, asked);
    }
    if (!this.#submitting) void this.#submitAll();
  }

  /** Another client requests the same content, which must not wait for the first client's turns. */
  #hasten(asked: AskedContent, client: string): void {
    const { parcel } = asked;
    if (asked.fresh) this.#fresh.add(client, asked);
    if (parcel?.ours !== true || parcel.queued.turn <= this.#turnOf(client)) return;
    parcel.queued = { ...parcel.queued, turn: this.#turnOf(client) };
    const { id, queued } = parcel;
    this.#inOrder(() => this.#queue.remove([id]).then(() => this.#queue.add([queued]))).catch(this.#trouble);
  }

  async #submitAll(): Promise<void> {
    this.#submitting = true;
    // Requests of the same turn are included; there is no delay to collect more.
    await turnOver();
    for (let fresh = this.#nextFresh(); fresh.length > 0 && !this.#closed; fresh = this.#nextFresh()) {
      const fail = (error: unknown): void => {
        for (const asked of fresh) this.#forget(asked, () => asked.fail(error));
      };
      try {
        // An unreachable queue must not delay cached scores.
        const parcels = await this.#submit(fresh);
        this.#inOrder(() => this.#dispatch(parcels)).catch(fail);
      } catch (error) {
        fail(error);
      }
    }
    this.#submitting = false;
  }

  /** The next contents to look up, of all clients in turns. */
  #nextFresh(): AskedContent[] {
    const next: AskedContent[] = [];
    let tokens = 0;
    while (next.length < AT_ONCE.contents && tokens < AT_ONCE.tokens) {
      const asked = this.#fresh.take();
      if (asked === undefined) break;
      // No request waits for it any more, or it was taken in another client's turn.
      if (!asked.wanted || !asked.fresh) continue;
      asked.fresh = false;
      tokens += asked.content.tokenIds.length;
      next.push(asked);
    }
    return next;
  }

  /** @returns parcels of the contents without a score, to be enqueued */
  async #submit(fresh: AskedContent[]): Promise<AskedParcel[]> {
    const contents = new Map(fresh.map((asked) => [keyOf(asked.content.hash), asked]));
    const cut = this.#cut(fresh);
    const submitted: AskedParcel[] = [];
    while (cut.length > 0) {
      const some = cut.splice(0, STATEMENTS);
      const parcels = await Promise.all(some.map((one) => this.#submitParcel(one, contents)));
      for (const parcel of parcels) if (parcel !== undefined) submitted.push(parcel);
    }
    return submitted;
  }

  /** Contents of one turn share parcels across requests. */
  #cut(fresh: readonly AskedContent[]): { parcel: NewParcel; turn: number }[] {
    const turns = new Map<number, Content[]>();
    const ahead = new Map<string, number>();
    for (const asked of fresh) {
      asked.submitted = false;
      const { client, content } = asked;
      const before = ahead.get(client) ?? 0;
      const turn = this.#turnOf(client, before);
      const contents = turns.get(turn);
      if (contents === undefined) turns.set(turn, [content]);
      else contents.push(content);
      ahead.set(client, before + content.tokenIds.length);
    }
    return [...turns]
      .sort(([a], [b]) => a - b)
      .flatMap(([turn, contents]) => cutParcels(contents, PARCEL_LIMITS).map((parcel) => ({ parcel, turn })));
  }

  /** The size of a client's turn is that of a parcel. */
  #turnOf(client: string, more = 0): number {
    return Math.floor(((this.#ahead.get(client) ?? 0) + more) / PARCEL_LIMITS.tokens);
  }

  async #submitParcel(
    { parcel, turn }: { parcel: NewParcel; turn: number },
    contents: ReadonlyMap<string, AskedContent>,
  ): Promise<AskedParcel | undefined> {
    const { pool, guard } = this.#options;
    const work = (): Promise<SubmittedExpress> => submitExpress(pool, guard.id, parcel);
    const { known, parcelId } = await withRetry(work, this.#over.signal);
    const unknown = new Set(parcel.hashes.map(keyOf));
    for (const outcome of known) {
      const key = keyOf(outcome.hash);
      unknown.delete(key);
      const asked = contents.get(key);
      if (asked === undefined || !asked.wanted) continue;
      if (outcome.parcelId === null) this.#settle(asked, outcome);
      else this.#join(asked, { id: outcome.parcelId, tokens: asked.content.tokenIds.length, turn }, false);
    }
    if (parcelId === undefined) return undefined;
    const tokens = parcel.tokenIds.reduce((sum, ids) => sum + ids.length, 0);
    for (const key of unknown) {
      const asked = contents.get(key);
      if (asked?.wanted === true) this.#join(asked, { id: parcelId, tokens, turn }, true);
    }
    const joined = this.#parcels.get(parcelId);
    // All requests were aborted while it was stored.
    if (joined === undefined) this.#withdraw(parcelId);
    return joined;
  }

  #join(asked: AskedContent, queued: QueuedParcel, ours: boolean): void {
    asked.unknown = true;
    this.#leave(asked);
    this.#parcels.join(asked, queued, ours);
    if (asked.parcel?.ours !== true) return;
    asked.submitted = true;
    this.#count(asked, asked.content.tokenIds.length);
  }

  /** @returns its parcel if no request waits for it any more */
  #leave(asked: AskedContent): AskedParcel | undefined {
    if (asked.parcel?.ours === true) this.#count(asked, -asked.content.tokenIds.length);
    return this.#parcels.leave(asked);
  }

  #count({ client }: AskedContent, tokens: number): void {
    const ahead = (this.#ahead.get(client) ?? 0) + tokens;
    if (ahead > 0) this.#ahead.set(client, ahead);
    else this.#ahead.delete(client);
  }

  /** Serializes changes of the queue, so that a removal cannot overtake its own addition. */
  #inOrder(work: () => Promise<void>): Promise<void> {
    const done = this.#queueing.then(work);
    this.#queueing = done.catch(() => {});
    return done;
  }

  async #dispatch(parcels: AskedParcel[]): Promise<void> {
    await withRetry(() => this.#enqueue(parcels), this.#over.signal);
  }

  /** Skips parcels that were cancelled meanwhile. */
  #enqueue(parcels: AskedParcel[]): Promise<void> {
    return this.#queue.add(parcels.filter(({ contents }) => contents.size > 0).map(({ queued }) => queued));
  }

  #parcelDone({ parcelId, scores }: ExpressDone): void {
    if (this.#closed) return;
    const untold: AskedContent[] = [];
    for (const asked of this.#parcels.get(parcelId)?.contents ?? []) {
      const score = scores.get(asked.content.hash.toString('hex'));
      if (score === undefined) untold.push(asked);
      else this.#forget(asked, () => asked.settle({ score, known: false }));
    }
    this.#collect(untold).catch(this.#trouble);
  }

  /** Delivers the outcomes that the store has by now. */
  async #collect(contents: AskedContent[]): Promise<void> {
    if (contents.length === 0) return;
    for (const outcome of await this.#outcomesOf(contents)) {
      const asked = this.#asked.get(keyOf(outcome.hash));
      if (asked !== undefined) this.#settle(asked, outcome);
    }
  }

  /** Finds missed notifications, jobs lost by the queue, and parcels cancelled by another process. */
  async #lookAgain(): Promise<void> {
    const parcels = this.#parcels.oldest(LOOK_AT.parcels);
    if (parcels.length === 0) return;
    // Order matters: a parcel missing here is done or cancelled, so its scores are already in the store.
    const waiting = new Set(
      await waitingExpress(
        this.#options.pool,
        parcels.map(({ id }) => id),
      ),
    );
    const contentsOf = (some: readonly AskedParcel[]): AskedContent[] =>
      some.flatMap(({ contents }) => [...contents]);
    const over = contentsOf(parcels.filter(({ id }) => !waiting.has(id)));
    // A parcel of a run may have scored a content that is still requested.
    const first = contentsOf(parcels.filter(({ id }) => waiting.has(id))).slice(0, LOOK_AT.contents);
    await this.#collect([...over, ...first]);
    const lost = over.filter((asked) => asked.parcel !== undefined && !waiting.has(asked.parcel.id));
    for (const asked of lost) this.#leave(asked);
    this.#lookUp(lost);
    const still = parcels.filter(({ id }) => waiting.has(id));
    await this.#inOrder(() => this.#enqueue(still));
  }

  async #outcomesOf(contents: AskedContent[]): Promise<KnownOutcome[]> {
    const { pool, guard } = this.#options;
    const hashes = contents.map(({ content }) => content.hash);
    return withRetry(() => knownOutcomes(pool, guard.id, hashes), this.#over.signal);
  }

  /** Delivers an outcome from the store, if it is final for the request. */
  #settle(asked: AskedContent, outcome: KnownOutcome): void {
    const { score, error, errorIsFresh } = outcome;
    if (score !== null) this.#forget(asked, () => asked.settle({ score, known: !asked.unknown }));
    else if (error !== null && (errorIsFresh || asked.submitted))
      this.#forget(asked, () => asked.settle({ error }));
  }

  /** Order matters: a caller may repeat its request immediately. */
  #forget(asked: AskedContent, tell: () => void): void {
    this.#remove(asked);
    tell();
  }

  #abandon(asked: AskedContent): void {
    const parcel = this.#remove(asked);
    if (parcel?.ours === true) this.#withdraw(parcel.id);
  }

  /** @returns its parcel if no request waits for it any more */
  #remove(asked: AskedContent): AskedParcel | undefined {
    const key = keyOf(asked.content.hash);
    if (this.#asked.get(key) === asked) this.#asked.delete(key);
    return this.#leave(asked);
  }

  /** Cancels abandoned parcels in batches, so that workers do not score them. */
  #withdraw(parcelId: number): void {
    this.#unwanted.push(parcelId);
    if (!this.#withdrawing) void this.#withdrawAll();
  }

  async #withdrawAll(): Promise<void> {
    this.#withdrawing = true;
    await turnOver();
    while (this.#unwanted.length > 0 && !this.#closed) {
      // The same content may have been requested again.
      const unwanted = this.#unwanted.splice(0).filter((id) => this.#parcels.get(id) === undefined);
      try {
        await cancelExpress(this.#options.pool, unwanted);
        await this.#inOrder(() => this.#queue.remove(unwanted));
      } catch (error) {
        // A worker skips the cancelled parcel, or a reconciler cancels it once it is abandoned.
        this.#trouble(error as Error);
      }
    }
    this.#withdrawing = false;
  }

  /** Errors after closing are ignored. */
  readonly #trouble = (error: Error): void => {
    if (!this.#closed) this.#options.onError(error);
  };
}

const closed = (): Error => new Error('the express scorer is closed');
