import type { Content } from '@tocsin/engine';
import type { QueuedParcel } from '@tocsin/queue';

/** What an asker gets for a content; `known` when the store had its score before anybody asked. */
export type ExpressResult =
  | { score: number; known: boolean; error?: undefined }
  | { error: string; score?: undefined };

/** An interactive parcel that will bring the scores of contents which are waited for here. */
export interface AskedParcel {
  id: number;
  /** Whether this process has submitted it: then no other process withdraws or queues it. */
  ours: boolean;
  /** How it is queued. */
  queued: QueuedParcel;
  /** The contents that are still waited for. */
  contents: Set<AskedContent>;
}

interface Asker {
  resolve(result: ExpressResult): void;
  reject(error: unknown): void;
}

/** A content that somebody in this process waits for. Any number of askers share it. */
export class AskedContent {
  readonly content: Content;
  /** Who asked first: the content is looked up and scored in that client's turn. */
  readonly client: string;
  /** The parcel that will bring its score, ours or another process'. */
  parcel: AskedParcel | undefined;
  /** It waits to be looked up. */
  fresh = false;
  /** A parcel of ours has it: an error that the store has for it now is that parcel's. */
  submitted = false;
  /** The store had no score for it when it was first looked up. */
  unknown = false;
  readonly #askers = new Set<Asker>();

  constructor(content: Content, client: string) {
    this.content = content;
    this.client = client;
  }

  get wanted(): boolean {
    return this.#askers.size > 0;
  }

  /** @param signal ends the wait, with its reason; `onLeave` is told of it */
  wait(signal: AbortSignal, onLeave: () => void): Promise<ExpressResult> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#askers.delete(asker);
        reject(signal.reason);
        onLeave();
      };
      const asker: Asker = {
        resolve: (result) => {
          signal.removeEventListener('abort', leave);
          resolve(result);
        },
        reject: (error) => {
          signal.removeEventListener('abort', leave);
          reject(error);
        },
      };
      this.#askers.add(asker);
      if (signal.aborted) leave();
      else signal.addEventListener('abort', leave, { once: true });
    });
  }

  settle(result: ExpressResult): void {
    for (const asker of this.#askers) asker.resolve(result);
    this.#askers.clear();
  }

  fail(error: unknown): void {
    for (const asker of this.#askers) asker.reject(error);
    this.#askers.clear();
  }
}

/** Which parcel brings which content: each question is answered without a look at the others. */
export class AskedParcels {
  readonly #byId = new Map<number, AskedParcel>();

  get(id: number): AskedParcel | undefined {
    return this.#byId.get(id);
  }

  /** The oldest, so many at most. */
  oldest(count: number): AskedParcel[] {
    const found: AskedParcel[] = [];
    for (const parcel of this.#byId.values()) {
      if (found.length === count) break;
      found.push(parcel);
    }
    return found;
  }

  /** Those that this process has submitted. */
  ours(): number[] {
    return [...this.#byId.values()].filter(({ ours }) => ours).map(({ id }) => id);
  }

  /** The content waits for this parcel from now on, and for no other. */
  join(asked: AskedContent, queued: QueuedParcel, ours: boolean): void {
    this.leave(asked);
    const known = this.#byId.get(queued.id);
    const parcel = known ?? { id: queued.id, ours, queued, contents: new Set() };
    if (known === undefined) this.#byId.set(parcel.id, parcel);
    parcel.contents.add(asked);
    asked.parcel = parcel;
  }

  /**
   * The content waits for no parcel any more.
   * @returns its parcel when no request waits for it any more
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
