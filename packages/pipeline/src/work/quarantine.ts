import type { RowOutcome } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import { countTry, forgiveTry, type LeasedParcel, SUSPECT_AFTER, splitParcel } from '@tocsin/store';

/** Worker deaths on a single content, alone, before it gets an error. */
const LONE_TRIES = 3;

/** What happens to a quarantined parcel. */
export type Verdict = 'tried alone' | 'split' | 'given up';

export const isSuspect = ({ lostLeases }: LeasedParcel): boolean => lostLeases >= SUSPECT_AFTER;

interface SuspectOptions {
  pool: Pool;
  score: (parcel: LeasedParcel) => Promise<RowOutcome[]>;
  onVerdict?: (parcelId: number, verdict: Verdict) => void;
  /** Called with errors that only cost time. */
  onError?: (error: Error) => void;
  signal: AbortSignal;
}

/**
 * Scores a quarantined parcel with no other parcel beside it. If a worker has died on it this way before, it is replaced by its
 * halves (which a reconciler enqueues), and so on until one content is left, which gets an error after a few more deaths. All
 * other contents of the parcel get their scores.
 * @returns an outcome per content; undefined when it was replaced by its halves
 */
export async function scoreSuspect(
  parcel: LeasedParcel,
  { pool, score, onVerdict, onError, signal }: SuspectOptions,
): Promise<RowOutcome[] | undefined> {
  const deaths = parcel.lostLeases - SUSPECT_AFTER;
  if (deaths > 0 && parcel.hashes.length > 1) {
    onVerdict?.(parcel.id, 'split');
    await withRetry(() => splitParcel(pool, parcel.id), signal);
    return undefined;
  }
  if (deaths >= LONE_TRIES) {
    onVerdict?.(parcel.id, 'given up');
    const error = `the worker process died ${deaths} times while it scored this row alone`;
    return parcel.hashes.map(() => ({ error }));
  }
  onVerdict?.(parcel.id, 'tried alone');
  await withRetry(() => countTry(pool, parcel), signal);
  try {
    return await score(parcel);
  } catch (error) {
    // The parcel was released, or failed for another reason, and the worker lives. If this cannot be stored, it counts
    // as a death; one alone has no effect.
    await forgiveTry(pool, parcel).catch((error: Error) => onError?.(error));
    throw error;
  }
}

interface Entrant {
  alone: boolean;
  enter(): void;
}

/** A fair read-write lock: shared holders run concurrently, an exclusive one alone, in order of arrival. */
export class LoneGate {
  readonly #waiting: Entrant[] = [];
  #inside = 0;
  #taken = false;

  /** @param signal ends the wait for the lock, with its reason; work that has started continues */
  beside<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#pass(false, work, signal);
  }

  /** Like `shared`, with no other work running. */
  alone<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#pass(true, work, signal);
  }

  async #pass<T>(alone: boolean, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#enter(alone, signal);
    try {
      return await work();
    } finally {
      this.#inside--;
      this.#taken = false;
      this.#admit();
    }
  }

  #enter(alone: boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(entrant), 1);
        reject(signal.reason);
        this.#admit();
      };
      const entrant: Entrant = {
        alone,
        enter: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.push(entrant);
      if (signal.aborted) leave();
      else {
        signal.addEventListener('abort', leave, { once: true });
        this.#admit();
      }
    });
  }

  #admit(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#taken || (next.alone && this.#inside > 0)) return;
      this.#waiting.shift();
      this.#inside++;
      this.#taken = next.alone;
      next.enter();
    }
  }
}
