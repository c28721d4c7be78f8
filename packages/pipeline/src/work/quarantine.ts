import type { RowOutcome } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import {
  forgiveAttempt,
  type LeasedParcel,
  QUARANTINE_AFTER,
  recordAttempt,
  splitParcel,
} from '@tocsin/store';

/** Worker deaths on a single content, alone, before it gets an error. */
const MAX_LONE_ATTEMPTS = 3;

/** What happens to a quarantined parcel. */
export type Verdict = 'tried alone' | 'split' | 'failed';

export const isQuarantined = ({ lostLeases }: LeasedParcel): boolean => lostLeases >= QUARANTINE_AFTER;

interface QuarantineOptions {
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
export async function scoreQuarantined(
  parcel: LeasedParcel,
  { pool, score, onVerdict, onError, signal }: QuarantineOptions,
): Promise<RowOutcome[] | undefined> {
  const deaths = parcel.lostLeases - QUARANTINE_AFTER;
  if (deaths > 0 && parcel.hashes.length > 1) {
    onVerdict?.(parcel.id, 'split');
    await withRetry(() => splitParcel(pool, parcel.id), signal);
    return undefined;
  }
  if (deaths >= MAX_LONE_ATTEMPTS) {
    onVerdict?.(parcel.id, 'failed');
    const error = `the worker process died ${deaths} times while it scored this row alone`;
    return parcel.hashes.map(() => ({ error }));
  }
  onVerdict?.(parcel.id, 'tried alone');
  await withRetry(() => recordAttempt(pool, parcel), signal);
  try {
    return await score(parcel);
  } catch (error) {
    // The parcel was released, or failed for another reason, and the worker lives. If this cannot be stored, it counts
    // as a death; one alone has no effect.
    await forgiveAttempt(pool, parcel).catch((error: Error) => onError?.(error));
    throw error;
  }
}

interface Waiter {
  exclusive: boolean;
  grant(): void;
}

/** A fair read-write lock: shared holders run concurrently, an exclusive one alone, in order of arrival. */
export class ExclusiveLock {
  readonly #waiting: Waiter[] = [];
  #holders = 0;
  #exclusive = false;

  /** @param signal ends the wait for the lock, with its reason; work that has started continues */
  shared<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#hold(false, work, signal);
  }

  /** Like `shared`, while no other work runs. */
  exclusive<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#hold(true, work, signal);
  }

  async #hold<T>(exclusive: boolean, work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#acquire(exclusive, signal);
    try {
      return await work();
    } finally {
      this.#holders--;
      this.#exclusive = false;
      this.#grant();
    }
  }

  #acquire(exclusive: boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        reject(signal.reason);
        this.#grant();
      };
      const waiter: Waiter = {
        exclusive,
        grant: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      this.#waiting.push(waiter);
      if (signal.aborted) leave();
      else {
        signal.addEventListener('abort', leave, { once: true });
        this.#grant();
      }
    });
  }

  #grant(): void {
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || this.#exclusive || (next.exclusive && this.#holders > 0)) return;
      this.#waiting.shift();
      this.#holders++;
      this.#exclusive = next.exclusive;
      next.grant();
    }
  }
}
