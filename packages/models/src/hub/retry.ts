import { setTimeout as sleep } from 'node:timers/promises';
import { HubResponseError, isPassing, isUnreachable } from './hub-errors.js';

const SECOND = 1000;

/** Retry policy of a request. */
export interface RetryTiming {
  /** Retries without any progress in between. */
  retries: number;
  /** Delay before the first retry (ms); doubles each time. */
  firstWait: number;
  longestWait: number;
  /** Longest accepted `Retry-After` (ms); beyond it the request fails. */
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
  signal?: AbortSignal;
  /** Called before each wait (ms). */
  onRetry?: (error: Error, wait: number) => void;
  /**
   * Progress so far. When it has grown, the count of retries restarts and every network error is retried: a laptop that
   * changes its network is offline for some seconds. (p-retry cannot restart its count.)
   */
  progress?: () => number;
}

/** Retries `work` after transient errors, with growing delays or those of `Retry-After`. */
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

/** Jitter, so that clients disconnected together do not return together. */
function growingWait(failures: number, { firstWait, longestWait }: RetryTiming): number {
  return Math.min(firstWait * 2 ** (failures - 1), longestWait) * (1 + Math.random() / 2);
}
