import type { Content } from '@tocsin/engine';

/** What an asker gets for a content; `known` when the store had its score before anybody asked. */
export type ExpressResult =
  | { score: number; known: boolean; error?: undefined }
  | { error: string; score?: undefined };

interface Asker {
  resolve(result: ExpressResult): void;
  reject(error: unknown): void;
}

/** A content that somebody in this process waits for. Any number of askers share it. */
export class AskedContent {
  readonly content: Content;
  /** The express parcel that will bring its score, ours or another process'. */
  parcelId: number | undefined;
  /** A parcel of ours has it: an error that the store has for it now is that parcel's. */
  submitted = false;
  /** The store had no score for it when it was first looked up. */
  unknown = false;
  readonly #askers = new Set<Asker>();

  constructor(content: Content) {
    this.content = content;
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
