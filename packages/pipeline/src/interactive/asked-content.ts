import type { Content } from '@tocsin/engine';
import type { QueuedParcel } from '@tocsin/queue';

/** The outcome of a content; `known` when its score was cached before the request. */
export type ExpressResult =
  | { score: number; known: boolean; error?: undefined }
  | { error: string; score?: undefined };

/** A pending interactive parcel. */
export interface AskedParcel {
  id: number;
  /** Whether this process submitted it: then no other process cancels or enqueues it. */
  ours: boolean;
  /** Its place in the queue. */
  queued: QueuedParcel;
  /** The contents in it that are still requested. */
  contents: Set<AskedContent>;
}

interface Requester {
  resolve(result: ExpressResult): void;
  reject(error: unknown): void;
}

/** A content requested in this process, by any number of requests. */
export class AskedContent {
  readonly content: Content;
  /** The client of the first request: the content is looked up and scored in that client's turn. */
  readonly client: string;
  /** The parcel with this content, of this or another process. */
  parcel: AskedParcel | undefined;
  /** It waits for its look-up. */
  fresh = false;
  /** A parcel of this process contains it, so an error in the store is from that parcel. */
  submitted = false;
  /** The first look-up found no score. */
  unknown = false;
  readonly #requesters = new Set<Requester>();

  constructor(content: Content, client: string) {
    this.content = content;
    this.client = client;
  }

  get wanted(): boolean {
    return this.#requesters.size > 0;
  }

  /** @param signal ends the wait with its reason; `onLeave` is called then */
  wait(signal: AbortSignal, onLeave: () => void): Promise<ExpressResult> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#requesters.delete(requester);
        reject(signal.reason);
        onLeave();
      };
      const requester: Requester = {
        resolve: (result) => {
          signal.removeEventListener('abort', leave);
          resolve(result);
        },
        reject: (error) => {
          signal.removeEventListener('abort', leave);
          reject(error);
        },
      };
      this.#requesters.add(requester);
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }

  settle(result: ExpressResult): void {
    for (const requester of this.#requesters) requester.resolve(result);
    this.#requesters.clear();
  }

  fail(error: unknown): void {
    for (const requester of this.#requesters) requester.reject(error);
    this.#requesters.clear();
  }
}

/** An index of pending contents by parcel and parcels by content. */
export class AskedParcels {
  readonly #byId = new Map<number, AskedParcel>();

  get(id: number): AskedParcel | undefined {
    return this.#byId.get(id);
  }

  /** The oldest ones, at most `limit`. */
  oldest(count: number): AskedParcel[] {
    const found: AskedParcel[] = [];
    for (const parcel of this.#byId.values()) {
      if (found.length === count) break;
      found.push(parcel);
    }
    return found;
  }

  /** Those submitted by this process. */
  ours(): number[] {
    return [...this.#byId.values()].filter(({ ours }) => ours).map(({ id }) => id);
  }

  /** Assigns the content to this parcel only. */
  join(asked: AskedContent, queued: QueuedParcel, ours: boolean): void {
    this.leave(asked);
    const known = this.#byId.get(queued.id);
    const parcel = known ?? { id: queued.id, ours, queued, contents: new Set() };
    if (known === undefined) this.#byId.set(parcel.id, parcel);
    parcel.contents.add(asked);
    asked.parcel = parcel;
  }

  /**
   * Removes the content from its parcel.
   * @returns the parcel if no request waits for it any more
   */
  leave(asked: AskedContent): AskedParcel | undefined {
    const { parcel } = asked;
    if (parcel === undefined) return undefined;
    asked.parcel = undefined;
    parcel.contents.delete(asked);
    if (parcel.contents.size > 0) return undefined;
    this.#byId.delete(parcel.id);
    return parcel;
  }

  clear(): void {
    this.#byId.clear();
  }
}
