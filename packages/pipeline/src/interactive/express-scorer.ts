import { setMaxListeners } from 'node:events';
import { UserError } from '@tocsin/core';
import { type Content, type Item, type OpenGuard, Preparation } from '@tocsin/engine';
import type { Pool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';
import { EXPRESS_WAIT_SECONDS, type RegisteredGuard } from '@tocsin/store';
import type { ExpressMeasure, ExpressOutcomeName } from '@tocsin/telemetry';
import { Admission, BusyError } from './admission.js';
import { Backlog, type PendingRequest } from './backlog.js';
import { ExpressDesk } from './express-desk.js';

/** An item's score, or its own error. */
export type ExpressOutcome =
  | {
      score: number;
      /** Tokens that the model read. */
      tokens: number;
      truncated: boolean;
      /** The score was cached. */
      known: boolean;
      error?: undefined;
    }
  | {
      score?: undefined;
      error: string;
      /** Whether the item is invalid for this guard; otherwise the model failed. */
      refused: boolean;
    };

export interface ExpressScorerOptions {
  pool: Pool;
  backend: QueueBackend;
  guard: OpenGuard;
  /** The guard's database record (`registerGuard`). */
  registered: RegisteredGuard;
  /** Called with recoverable errors. */
  onError?: (error: Error) => void;
  /** Bounds pending work; may be shared between scorers. Default: an instance of its own with `DEFAULT_ADMISSION`. */
  admission?: Admission;
  /** Called with each answered item: `metrics.onExpress`. */
  onAnswer?: (measure: ExpressMeasure) => void;
}

export interface ExpressScoreOptions {
  /** Timeout in milliseconds; default 30 s, at most 60 s. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** The client: clients take turns, and pending work is limited per client. */
  client?: string;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const MAX_TIMEOUT_MS = EXPRESS_WAIT_SECONDS * 1000;

/** The workers did not score an item in time: there are none, or too few. */
export class ExpressTimeoutError extends Error {
  constructor(timeoutMs: number) {
    super(`no score within ${timeoutMs / 1000} s: no worker for this guard is running, or all are too busy`);
    this.name = 'ExpressTimeoutError';
  }
}

/**
 * Scores single items interactively with the available workers. They share the workers with bulk runs, wait for the running
 * forward pass only, and share a pass with other interactive items.
 * Holds one connection of the pool to listen for scores.
 * @example
 * const scorer = await ExpressScorer.open({ pool, backend, guard, registered });
 * const [outcome] = await scorer.score([{ text: 'How do I bake bread?' }]);
 */
export class ExpressScorer {
  readonly #preparation: Preparation;
  readonly #desk: ExpressDesk;
  readonly #admission: Admission;
  readonly #backlog = new Backlog();
  readonly #onAnswer: (measure: ExpressMeasure) => void;

  private constructor(
    preparation: Preparation,
    desk: ExpressDesk,
    admission: Admission,
    onAnswer: (measure: ExpressMeasure) => void,
  ) {
    this.#preparation = preparation;
    this.#desk = desk;
    this.#admission = admission;
    this.#onAnswer = onAnswer;
  }

  /** The backend and the schema must exist (`prepareBackend`, `migrateSchema`). */
  static async open(options: ExpressScorerOptions): Promise<ExpressScorer> {
    const { pool, backend, guard, registered, onError = () => {}, onAnswer = () => {} } = options;
    const { admission = new Admission() } = options;
    const preparation = await Preparation.open(guard);
    const desk = await ExpressDesk.open({ pool, backend, guard: registered, onError });
    return new ExpressScorer(preparation, desk, admission, onAnswer);
  }

  /**
   * @returns one outcome per item, in order; items fail independently
   * @throws BusyError when too much is pending, or workers are too slow to answer in time; ExpressTimeoutError; the
   * signal's reason; UserError for a timeout out of range
   */
  async score(items: readonly Item[], options: ExpressScoreOptions = {}): Promise<ExpressOutcome[]> {
    const { client = '', signal } = options;
    const timeoutMs = requireTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    signal?.throwIfAborted();
    const asked = performance.now();
    // Before tokenization: a refused request costs nothing.
    const ticket = this.#admission.admit(client, items.length);
    const over = new AbortController();
    // One listener per item, which is not a leak.
    setMaxListeners(0, over.signal);
    const timer = setTimeout(() => over.abort(new ExpressTimeoutError(timeoutMs)), timeoutMs);
    const leave = (): void => over.abort(signal?.reason);
    signal?.addEventListener('abort', leave, { once: true });
    let answered = false;
    let pending: PendingRequest | undefined;
    try {
      const contents = await this.#preparation.contentsOf(items);
      const tokens = tokensOf(contents);
      ticket.count(tokens);
      const request = this.#backlog.enter(client, tokens, timeoutMs, (busy) => over.abort(busy));
      pending = request;
      const outcomes = await Promise.all(
        contents.map(async (content) => {
          const outcome = await this.#measured(content, over.signal, asked, client);
          if (!(content instanceof UserError))
            request.answered(content.tokenIds.length, outcome.score !== undefined && !outcome.known);
          return outcome;
        }),
      );
      answered = true;
      return outcomes;
    } finally {
      pending?.leave();
      ticket.release(answered);
      clearTimeout(timer);
      signal?.removeEventListener('abort', leave);
      // When one of many fails, the others are abandoned.
      over.abort(new Error('the call is over'));
    }
  }

  /** Rejects pending requests. The pool belongs to the caller. */
  close(): Promise<void> {
    return this.#desk.close();
  }

  async #measured(
    content: Content | UserError,
    signal: AbortSignal,
    asked: number,
    client: string,
  ): Promise<ExpressOutcome> {
    const over = (outcome: ExpressOutcomeName): void =>
      this.#onAnswer({ outcome, seconds: (performance.now() - asked) / 1000 });
    try {
      const outcome = await this.#outcomeOf(content, signal, client);
      over(outcomeName(outcome));
      return outcome;
    } catch (error) {
      over(failureName(error, signal));
      throw error;
    }
  }

  async #outcomeOf(
    content: Content | UserError,
    signal: AbortSignal,
    client: string,
  ): Promise<ExpressOutcome> {
    if (content instanceof UserError) return { error: content.message, refused: true };
    const result = await this.#desk.ask(content, signal, client);
    if (result.score === undefined) return { error: result.error, refused: false };
    const { score, known } = result;
    return { score, known, tokens: content.tokenIds.length, truncated: content.truncated };
  }
}

function tokensOf(contents: readonly (Content | UserError)[]): number {
  return contents.reduce(
    (sum, content) => sum + (content instanceof UserError ? 0 : content.tokenIds.length),
    0,
  );
}

function outcomeName(outcome: ExpressOutcome): ExpressOutcomeName {
  if (outcome.score === undefined) return outcome.refused ? 'refused' : 'failed';
  return outcome.known ? 'known' : 'scored';
}

function failureName(error: unknown, signal: AbortSignal): ExpressOutcomeName {
  if (error instanceof ExpressTimeoutError) return 'timeout';
  if (error instanceof BusyError) return 'busy';
  return signal.aborted && error === signal.reason ? 'left' : 'broken';
}

function requireTimeout(timeoutMs: number): number {
  if (timeoutMs > 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw new UserError(`timeoutMs must be more than 0 and at most ${MAX_TIMEOUT_MS}, got ${timeoutMs}`, {
    hint: 'Use a run for items that take longer.',
  });
}
