import { UserError } from '@tocsin/core';
import type { PrefixScorer } from './prefix-scorer.js';

/** What of an item the model sees. */
export interface PrefixTokens {
  tokenIds: Int32Array;
  truncated: boolean;
}

/** The score of all that has been pushed so far. */
export interface StreamScore {
  /** P(harmful), 0 to 1: what scoring the prefix from scratch gives. */
  score: number;
  /** score >= threshold */
  isHarmful: boolean;
  threshold: number;
  /** Tokens that the model sees of the prefix. */
  tokens: number;
  /** The prefix has more tokens than the guard takes. */
  truncated: boolean;
  /** A prefix was harmful and `onHarmful` was told: nothing after it is scored. */
  ended: boolean;
}

export interface PrefixStreamOptions {
  threshold: number;
  /** Told of the first prefix that is harmful, once; the stream ends with it. Without it a stream goes on. */
  onHarmful?: (score: StreamScore) => void;
}

/**
 * An item that comes piece by piece. Each push costs the forward pass of its own tokens only; pushes are scored in
 * their order, and share passes with other streams.
 */
export class PrefixStream<Piece> {
  readonly #scorer: PrefixScorer;
  readonly #stream: number;
  readonly #options: PrefixStreamOptions;
  readonly #add: (piece: Piece) => Promise<PrefixTokens>;
  #last: Promise<StreamScore | undefined> = Promise.resolve(undefined);
  #closed = false;

  /** @param add adds a piece to what was pushed before, and gives the tokens of the whole */
  constructor(
    scorer: PrefixScorer,
    options: PrefixStreamOptions,
    add: (piece: Piece) => Promise<PrefixTokens>,
  ) {
    this.#scorer = scorer;
    this.#stream = scorer.newStream();
    this.#options = options;
    this.#add = add;
  }

  /**
   * Adds a piece.
   * @returns the score of everything so far; of a stream that has ended, the one that ended it
   */
  push(piece: Piece): Promise<StreamScore> {
    if (this.#closed) return Promise.reject(new UserError('the stream is closed: nothing can be pushed'));
    const before = this.#last;
    const score = before.then((last) => (last?.ended === true ? last : this.#score(piece)));
    // A push that fails fails for its caller; the next one goes on from what was scored before it.
    this.#last = score.catch(() => before);
    return score;
  }

  /** Pushes pieces as they come, and gives the score after each. Stops taking them when the stream ends. */
  async *scores(pieces: AsyncIterable<Piece> | Iterable<Piece>): AsyncGenerator<StreamScore> {
    for await (const piece of pieces) {
      const score = await this.push(piece);
      yield score;
      if (score.ended) return;
    }
  }

  /** Frees what is kept for the stream, once the pushes so far are scored. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#last;
    this.#scorer.endStream(this.#stream);
  }

  async #score(piece: Piece): Promise<StreamScore> {
    const { threshold, onHarmful } = this.#options;
    const { tokenIds, truncated } = await this.#add(piece);
    const score = (await this.#scorer.score({ tokenIds, stream: this.#stream })).at(-1);
    if (score === undefined) throw new Error('a prefix has no tokens');
    const isHarmful = score >= threshold;
    const ended = isHarmful && onHarmful !== undefined;
    const result = { score, isHarmful, threshold, tokens: tokenIds.length, truncated, ended };
    if (ended) onHarmful(result);
    return result;
  }
}
