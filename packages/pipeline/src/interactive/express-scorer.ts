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

/** An item's score, or why it has none though others have. */
export type ExpressOutcome =
  | {
      score: number;
      /** What the model saw. */
      tokens: number;
      truncated: boolean;
      /** The store had the score: no forward pass was made for it. */
      known: boolean;
      error?: undefined;
    }
  | {
      score?: undefined;
      error: string;
      /** The item is at fault: this guard cannot score it. Otherwise the model could not. */
      refused: boolean;
    };

export interface ExpressScorerOptions {
  pool: Pool;
  backend: QueueBackend;
  guard: OpenGuard;
  /** The guard as the database knows it (`registerGuard`). */
  registered: RegisteredGuard;
  /** Told of what goes wrong and is mended by itself. */
  onError?: (error: Error) => void;
  /** Bounds what is pending; may be shared with other scorers. By default one of its own, with `DEFAULT_ADMISSION`. */
  admission?: Admission;
  /** Told of each item that was asked for, when it has its answer: `metrics.onExpress`. */
  onAnswer?: (measure: ExpressMeasure) => void;
}

export interface ExpressScoreOptions {
  /** Milliseconds to wait for the scores; 30 s by default, 60 s at most. */
  timeoutMs?: number;
  signal?: AbortSignal;
  /** The client: clients take turns, and each may have so much pending. */
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
 * Scores single items that somebody waits for, by whichever workers there are. They share the workers with bulk runs,
 * wait for the forward pass that runs and for no other, and share a pass with whatever else is waited for.
 *
 * Takes one connection of the pool for itself, to hear of scores.
 *
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

  /** The backend and the database's schema must be there (`prepareBackend`, `migrateSchema`). */
  static async open(options: ExpressScorerOptions): Promise<ExpressScorer> {
    const { pool, backend, guard, registered, onError = () => {}, onAnswer = () => {} } = options;
    const { admission = new Admission() } = options;
    const preparation = await Preparation.open(guard);
    const desk = await ExpressDesk.open({ pool, backend, guard: registered, onError });
    return new ExpressScorer(preparation, desk, admission, onAnswer);
  }

  /**
   * @returns one outcome per item, in order; one bad item never costs another
   * @throws BusyError when too much is pending, or workers are too slow to answer in time; ExpressTimeoutError; the signal's reason; UserError for a timeout that is
   * out of range
   */
  async score(items: readonly Item[], options: ExpressScoreOptions = {}): Promise<ExpressOutcome[]> {
    const { client = '', signal } = options;
    const timeoutMs = requireTimeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    signal?.throwIfAborted();
    const asked = performance.now();
    // Before anything is tokenized: who is refused has cost nothing.
    const ticket = this.#admission.admit(client, items.length);
    const over = new AbortController();
    // One for each item, which is no leak.
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
      // When one of many fails, nobody waits for the others.
      over.abort(new Error('the call is over'));
    }
  }

  /** Whoever still waits is told. The pool is the caller's. */
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
    hint: 'Score what takes longer as a run.',
  });
}
