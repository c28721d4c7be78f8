import { setTimeout as sleep } from 'node:timers/promises';
import { HubResponseError, isPassing, isUnreachable } from './hub-errors.js';

const SECOND = 1000;

/** How stubborn a request is. */
export interface RetryTiming {
  /** Tries after the first, without any progress in between. */
  retries: number;
  /** Before the first of them (ms); it doubles each time. */
  firstWait: number;
  longestWait: number;
  /** A hub that asks for a longer wait than this (ms) is told to the person instead. */
  longestRetryAfter: number;
}

export const RETRY_TIMING = {
  retries: 5,
  firstWait: 0.5 * SECOND,
  longestWait: 20 * SECOND,
  longestRetryAfter: 300 * SECOND,
} as const satisfies RetryTiming;

export interface RetryOptions {
  timing: RetryTiming;
  signal?: AbortSignal | undefined;
  /** Told before each wait (ms). */
  onRetry?: ((error: Error, wait: number) => void) | undefined;
  /**
   * How much has come so far. When it has grown, the count of tries starts again and every network error is worth
   * another one: a laptop that changes its network finds no hub for some seconds. (p-retry cannot give tries back.)
   */
  progress?: (() => number) | undefined;
}

/** Does `work` again while its errors are passing ones, with growing waits, or those that `Retry-After` asks for. */
export async function withHubRetry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { timing, signal, onRetry, progress = () => 0 } = options;
  const before = progress();
  let last = before;
  let failures = 0;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      const now = progress();
      failures = now > last ? 1 : failures + 1;
      last = now;
      const another = isPassing(error) || (now > before && isUnreachable(error));
      if (!(error instanceof Error) || !another || failures > timing.retries) throw error;
      const asked = error instanceof HubResponseError ? error.retryAfter : undefined;
      if (asked !== undefined && asked > timing.longestRetryAfter) throw error;
      const wait = asked ?? growingWait(failures, timing);
      onRetry?.(error, wait);
      await sleep(wait, undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** Not the same for everybody, so that many clients cut at once do not come back at once. */
function growingWait(failures: number, { firstWait, longestWait }: RetryTiming): number {
  return Math.min(firstWait * 2 ** (failures - 1), longestWait) * (1 + Math.random() / 2);
}
