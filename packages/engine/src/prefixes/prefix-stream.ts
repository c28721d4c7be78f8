import { UserError } from '@tocsin/core';
import { GrowingText, textOf } from '@tocsin/siren';
import type { Preparation } from '../items/preparation.js';
import type { PrefixScorer } from './prefix-scorer.js';

/** The tokens of an item that the model sees. */
export interface PrefixTokens {
  tokenIds: Int32Array;
  truncated: boolean;
}

/** The score of everything pushed so far. */
export interface StreamScore {
  /** P(harmful), 0 to 1, equal to scoring the prefix from scratch. */
  score: number;
  /** score >= threshold */
  isHarmful: boolean;
  threshold: number;
  /** Tokens of the prefix that the model sees. */
  tokens: number;
  /** The prefix has more tokens than the guard takes. */
  truncated: boolean;
  /** A prefix was harmful and `onHarmful` was called: nothing after it is scored. */
  ended: boolean;
}

export interface PrefixStreamOptions {
  threshold: number;
  /** Called once with the first harmful prefix, which ends the stream. Without it the stream continues. */
  onHarmful?: (score: StreamScore) => void;
}

/**
 * An item that arrives in pieces. Each push costs only its own tokens; pushes are scored in order and share passes with
 * other streams.
 */
export class PrefixStream<Piece> {
  readonly #scorer: PrefixScorer;
  readonly #stream: number;
  readonly #options: PrefixStreamOptions;
  readonly #add: (piece: Piece) => Promise<PrefixTokens>;
  #last: Promise<StreamScore | undefined> = Promise.resolve(undefined);
  #closed = false;

  /** @param add adds a piece to the earlier ones and returns the tokens of the whole */
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
   * @returns the score of everything so far; for an ended stream, the score that ended it
   */
  push(piece: Piece): Promise<StreamScore> {
    if (this.#closed) return Promise.reject(new UserError('the stream is closed: nothing can be pushed'));
    const before = this.#last;
    const score = before.then((last) => (last?.ended === true ? last : this.#score(piece)));
    // A failed push rejects for its caller only; the next continues from the last scored state.
    this.#last = score.catch(() => before);
    return score;
  }

  /** Pushes pieces as they arrive and yields the score after each. Stops when the stream ends. */
  async *scores(pieces: AsyncIterable<Piece> | Iterable<Piece>): AsyncGenerator<StreamScore> {
    for await (const piece of pieces) {
      const score = await this.push(piece);
      yield score;
      if (score.ended) return;
    }
  }

  /** Frees the stream's memory once all pushes are scored. */
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

/** A message of a chat API: `role`, `content`, perhaps `tool_calls`. */
export type ChatMessage = Readonly<Record<string, unknown>>;
/** A piece of a stream: a chunk of text for a content guard, one or more messages for a trajectory guard. */
export type StreamPiece = string | ChatMessage | readonly ChatMessage[];

/** The context of a stream's pieces. */
export interface StreamContext {
  /** Content guards: the prompt that the streamed text responds to. */
  prompt?: string;
  /** Trajectory guards: the agent's tools. */
  tools?: readonly unknown[] | string | null;
}

/**
 * An item that grows piece by piece. Its tokens are those of the whole, as if all had arrived at once. A rejected piece is
 * not kept.
 */
export function growingItem(
  preparation: Preparation,
  context: StreamContext,
): (piece: StreamPiece) => Promise<PrefixTokens> {
  const grow = preparation.task === 'content' ? growingText(context) : growingMessages(preparation, context);
  return async (piece) => {
    const { text, keep } = grow(piece);
    const [content] = await preparation.contentsOfTexts([text]);
    if (content === undefined) throw new Error('one item gave no content');
    if (content instanceof UserError) throw content;
    keep();
    return content;
  };
}

/** `text` is that of everything so far, to be tokenized. @throws UserError */
type Grow = (piece: StreamPiece) => { text: string; keep: () => void };

function growingText({ prompt, tools }: StreamContext): Grow {
  if (tools != null) throw new UserError('tools were given to a content guard, which scores texts');
  let before: { text: GrowingText; half: string; separator: string } | undefined;
  return (piece) => {
    if (typeof piece !== 'string') {
      throw new UserError(
        `a content guard's stream takes chunks of text (strings), not a value of type ${typeof piece}`,
      );
    }
    before ??= {
      text: GrowingText.empty.add(prompt == null ? '' : textOf({ prompt })),
      half: '',
      separator: prompt ? '\n' : '',
    };
    const given = before.half + piece;
    // A chunk may end in half a character; the next one brings the other half.
    const half = endsInHalf(given) ? given.slice(-1) : '';
    const whole = given.slice(0, given.length - half.length);
    const part = textOf(prompt == null ? { text: whole } : { response: whole });
    const text = part === '' ? before.text : before.text.add(before.separator + part);
    const separator = part === '' ? before.separator : '';
    return {
      text: text.text,
      keep: () => {
        before = { text, half, separator };
      },
    };
  };
}

function growingMessages(preparation: Preparation, { prompt, tools }: StreamContext): Grow {
  if (prompt !== undefined) {
    throw new UserError('a prompt was given to a trajectory guard, which scores messages', {
      hint: "Push the prompt as a message of role 'user'.",
    });
  }
  let given: readonly ChatMessage[] = [];
  return (piece) => {
    if (typeof piece === 'string') {
      throw new UserError("a trajectory guard's stream takes messages, not a text");
    }
    const messages = [...given, ...(Array.isArray(piece) ? piece : [piece])];
    return {
      text: preparation.textOf({ messages, tools }),
      keep: () => {
        given = messages;
      },
    };
  };
}

const endsInHalf = (text: string): boolean => /[\ud800-\udbff]$/.test(text);
