import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** How often to look. */
interface Pace {
  /** From the end of one look to the start of the next. */
  everyMs: number;
  /** The share of the time, from 0 to 1, that looks may take: after a slow look the pause is longer. */
  shareOfTime?: number;
}

interface PollOptions extends Pace {
  /** Ends the polling with its reason. */
  signal: AbortSignal;
  /** Called with what a look throws; the next look follows. Without it, the error ends the polling. */
  onError?: (error: Error) => void;
}

/**
 * Looks at once, and again until a look returns something.
 * @returns what that is
 * @throws the signal's reason; what a look throws, unless there is an `onError`
 */
export async function poll<T>(
  look: () => Promise<T | undefined>,
  { signal, onError, ...pace }: PollOptions,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted();
    const started = performance.now();
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (error) {
      signal.throwIfAborted();
      if (onError === undefined) throw error;
      onError(error as Error);
    }
    await sleep(pauseAfter(started, pace), undefined, { signal }).catch(() => {});
  }
}

interface LoopOptions extends Pace {
  /** Called with what a look throws, except after `close`; the next look follows. */
  onError: (error: Error) => void;
  /** Pause before the first look. Default: start with a look. */
  pauseFirst?: boolean;
  /** Keep the process alive. Default: true. */
  keepAlive?: boolean;
}

/** Looks again and again in the background, one look at a time, until it is closed. */
export class Loop {
  readonly #look: (signal: AbortSignal) => Promise<unknown>;
  readonly #options: LoopOptions;
  readonly #closing = new AbortController();
  readonly #done: Promise<void>;
  #woken = new AbortController();

  /** @param look gets a signal that aborts when the loop is closed */
  constructor(look: (signal: AbortSignal) => Promise<unknown>, options: LoopOptions) {
    this.#look = look;
    this.#options = options;
    // Not synchronously: the first look may need what the caller assigns after creating the loop.
    this.#done = Promise.resolve().then(() => this.#run());
  }

  /** Aborts when the loop is closed. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Ends the pause. During a look: another one follows it without a pause. */
  wake(): void {
    this.#woken.abort();
  }

  /** @returns when the look under way, if any, has ended */
  close(reason: Error = new Error('the loop is closed')): Promise<void> {
    this.#closing.abort(reason);
    this.wake();
    return this.#done;
  }

  async #run(): Promise<void> {
    const { signal } = this.#closing;
    const { pauseFirst = false, onError } = this.#options;
    if (pauseFirst) await this.#pause(this.#options.everyMs);
    while (!signal.aborted) {
      this.#woken = new AbortController();
      const started = performance.now();
      try {
        await this.#look(signal);
      } catch (error) {
        if (!signal.aborted) onError(error as Error);
      }
      await this.#pause(pauseAfter(started, this.#options));
    }
  }

  async #pause(ms: number): Promise<void> {
    const { keepAlive = true } = this.#options;
    await sleep(ms, undefined, { signal: this.#woken.signal, ref: keepAlive }).catch(() => {});
  }
}

function pauseAfter(started: number, { everyMs, shareOfTime }: Pace): number {
  if (shareOfTime === undefined) return everyMs;
  return Math.max(everyMs, (performance.now() - started) / shareOfTime);
}

/** Resolves when the signal aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/**
 * What `work` comes to, unless the signal aborts first. `work` goes on then, but nothing waits for it.
 * @throws the signal's reason
 */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {});
  let stop = (): void => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** `work` took too long. */
export class TimeoutError extends Error {
  constructor(ms: number) {
    super(`no answer within ${ms / 1000} s`);
    this.name = 'TimeoutError';
  }
}

/**
 * What `work` comes to within so many milliseconds. Unlike `AbortSignal.timeout`, the wait keeps the process alive.
 * @throws TimeoutError
 */
export async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new TimeoutError(ms)), ms);
  try {
    return await abortable(work, late.signal);
  } finally {
    clearTimeout(timer);
  }
}
