import { readFile } from 'node:fs/promises';
import { UserError } from '@tocsin/core';
import type { Span } from '@tocsin/siren';
import tokenizers from 'tokenizers';

/** A text as the model sees it. */
export interface TokenizedText {
  tokenIds: Int32Array;
  /** The text had more tokens than `maxLength` and was truncated on the right. */
  truncated: boolean;
}

/**
 * A text's tokens with their spans: all of them, or for a very long text those of its beginning (and end), at least as
 * many as are kept.
 */
export interface TokenSpans {
  tokenIds: Int32Array;
  /** In UTF-16 units. Tokens that share a character have overlapping spans; a special token's is empty. */
  spans: Span[];
  /** Tokens of the whole text; an estimate when not all of it was tokenized. */
  total: number;
}

/** A piece of a text, tokenized. */
interface Piece {
  encoding: tokenizers.Encoding;
  text: string;
  /** In the whole text, in UTF-16 units. */
  from: number;
}

/**
 * Characters of a text to tokenize first, per token of `maxLength`. Real text has 1 to 5 characters per token, so this
 * nearly always covers all kept tokens.
 */
const CHARACTERS_PER_TOKEN = 16;
/** Maximum growth of the piece taken from a text's end when it does not settle. */
const MOST_CHARACTERS_FACTOR = 8;
/**
 * What stands between the kept tokens and a cut through the text: enough that the cut cannot reach them. Splitting into
 * words looks at most a few words ahead (the longest added token). Inside a word without end, merges carry a difference
 * from token to token only as long as each is a likelier pair than the one before; this many characters were enough for
 * everything that was tried.
 */
const SETTLED_WORDS = 32;
const SETTLED_CHARACTERS = 4096;

/** A backbone's tokenizer with its special tokens, truncating on the right like the reference. */
export class Tokenizer {
  readonly #tokenizer: tokenizers.Tokenizer;
  readonly #maxLength: number;

  private constructor(tokenizer: tokenizers.Tokenizer, maxLength: number) {
    this.#tokenizer = tokenizer;
    this.#maxLength = maxLength;
  }

  /**
   * @param file      a `tokenizer.json`
   * @param maxLength tokens to truncate a text to, special tokens included
   */
  static async open(file: string, maxLength: number): Promise<Tokenizer> {
    const json = await readFile(file, 'utf8');
    let tokenizer: tokenizers.Tokenizer;
    try {
      tokenizer = tokenizers.Tokenizer.fromString(json);
    } catch (cause) {
      throw new UserError(`${file} is no tokenizer that can be read: ${(cause as Error).message}`, { cause });
    }
    // The reference overrides the file's truncation and padding.
    tokenizer.disableTruncation();
    tokenizer.disablePadding();
    await refuseTrailingSpecialTokens(file, tokenizer);
    return new Tokenizer(tokenizer, maxLength);
  }

  /** Token ids of each text. Runs outside the event loop's thread. */
  async encode(texts: string[]): Promise<TokenizedText[]> {
    const limit = this.#maxLength * CHARACTERS_PER_TOKEN;
    const short = texts.map((text) => (text.length > limit ? '' : text));
    const encodings = await this.#tokenizer.encodeBatch(short);
    return Promise.all(
      texts.map((text, i) => {
        if (text.length > limit) return this.#encodeLong(text, limit);
        const encoding = encodings[i];
        if (encoding === undefined)
          throw new Error(`${texts.length} texts gave ${encodings.length} encodings`);
        return this.#truncate(encoding.getIds());
      }),
    );
  }

  /**
   * Token ids of each text, at most the first and the last half of `maxLength` (see headAndTail). Runs outside the event
   * loop's thread.
   */
  async encodeEnds(texts: string[]): Promise<TokenizedText[]> {
    const limit = this.#maxLength * CHARACTERS_PER_TOKEN;
    const short = texts.map((text) => (text.length > limit ? '' : text));
    const encodings = await this.#tokenizer.encodeBatch(short);
    return Promise.all(
      texts.map(async (text, i) => {
        const whole = text.length > limit ? undefined : encodings[i]?.getIds();
        const ids = whole ?? (await this.#endsOfLong(text, limit));
        const kept = headAndTail(ids.length, this.#maxLength);
        if (kept.length === ids.length) return { tokenIds: new Int32Array(ids), truncated: false };
        return { tokenIds: Int32Array.from(kept, (at) => ids[at] ?? 0), truncated: true };
      }),
    );
  }

  /**
   * A text's tokens with their spans. With `ends`, enough that `headAndTail` selects the same as from the whole text;
   * otherwise at least the first `maxLength`.
   */
  async encodeSpans(text: string, { ends = false }: { ends?: boolean } = {}): Promise<TokenSpans> {
    const limit = this.#maxLength * CHARACTERS_PER_TOKEN;
    const { piece, isWhole } =
      text.length > limit
        ? await this.#beginning(text, limit)
        : { piece: await this.#whole(text), isWhole: true };
    if (isWhole) return { ...spansOf(piece), total: piece.encoding.getLength() };
    const head = spansOf(piece);
    const total = Math.max(
      this.#maxLength + 1,
      Math.round((head.tokenIds.length * text.length) / piece.text.length),
    );
    if (!ends) return { ...head, total };
    const tail = spansOf(await this.#end(text, limit));
    const kept = this.#maxLength;
    return {
      tokenIds: Int32Array.of(...head.tokenIds.subarray(0, kept), ...tail.tokenIds.subarray(-kept)),
      spans: [...head.spans.slice(0, kept), ...tail.spans.slice(-kept)],
      total,
    };
  }

  async #whole(text: string): Promise<Piece> {
    return { encoding: await this.#tokenizer.encode(text), text, from: 0 };
  }

  /**
   * The first `maxLength` tokens of a very long text, and whether there are more, without tokenizing the rest.
   */
  async #encodeLong(text: string, limit: number): Promise<TokenizedText> {
    const beginning = await this.#beginning(text, limit);
    const ids = beginning.piece.encoding.getIds();
    return beginning.isWhole ? this.#truncate(ids) : { tokenIds: this.#kept(ids), truncated: true };
  }

  /** Tokenizes as much of a text's beginning as determines its first `maxLength` tokens. */
  async #beginning(text: string, limit: number): Promise<{ piece: Piece; isWhole: boolean }> {
    for (let length = limit; length < text.length; length *= 2) {
      const piece = await this.#whole(wholeCharacters(text, length));
      const { encoding } = piece;
      const words = encoding.getWordIds();
      const lastKept = words[this.#maxLength - 1];
      const last = words.at(-1);
      if (lastKept != null && last != null && last - lastKept >= SETTLED_WORDS)
        return { piece, isWhole: false };
      const ends = encoding.getOffsets();
      const [, keptEnd] = ends[this.#maxLength - 1] ?? [];
      const [, end] = ends.at(-1) ?? [];
      // In code points, of which a text has at most as many as UTF-16 units.
      if (keptEnd !== undefined && end !== undefined && end - keptEnd >= SETTLED_CHARACTERS) {
        return { piece, isWhole: false };
      }
    }
    return { piece: await this.#whole(text), isWhole: true };
  }

  /**
   * The tokens of a long text, or of its beginning and end: enough that headAndTail selects the same as from the whole.
   */
  async #endsOfLong(text: string, limit: number): Promise<number[]> {
    const { piece, isWhole } = await this.#beginning(text, limit);
    const ids = piece.encoding.getIds();
    if (isWhole) return ids;
    const end = (await this.#end(text, limit)).encoding.getIds();
    return [...ids.slice(0, this.#maxLength), ...end.slice(-this.#maxLength)];
  }

  /**
   * The end of a text with its last `maxLength` tokens. A cut on the left can change the following words until both ways
   * of splitting meet, so two cuts must agree. In an endless word they may never (a run of one letter is grouped from its
   * start); then the longer of the last two pieces decides.
   */
  async #end(text: string, limit: number): Promise<Piece> {
    let before: number[] | undefined;
    const most = Math.max(limit * MOST_CHARACTERS_FACTOR, 2 * SETTLED_CHARACTERS);
    for (let length = limit + SETTLED_CHARACTERS; ; length *= 2) {
      const piece = length < text.length ? lastCharacters(text, length) : text;
      const encoding = await this.#tokenizer.encode(piece, null, { addSpecialTokens: false });
      const ids = encoding.getIds().slice(-this.#maxLength);
      const isFull = ids.length === this.#maxLength;
      const agrees = isFull && before?.length === ids.length && before.every((id, i) => id === ids[i]);
      if (agrees || piece === text || (isFull && length > most))
        return { encoding, text: piece, from: text.length - piece.length };
      before = ids;
    }
  }

  #truncate(ids: number[]): TokenizedText {
    return { tokenIds: this.#kept(ids), truncated: ids.length > this.#maxLength };
  }

  #kept(ids: number[]): Int32Array {
    // Several times faster than Int32Array.from, which uses the iterator.
    return new Int32Array(ids.length > this.#maxLength ? ids.slice(0, this.#maxLength) : ids);
  }
}

function spansOf({ encoding, text, from }: Piece): Pick<TokenSpans, 'tokenIds' | 'spans'> {
  const units = unitsOfCodePoints(text);
  return {
    tokenIds: new Int32Array(encoding.getIds()),
    spans: encoding.getOffsets().map(([start = 0, end = 0]) => ({
      start: from + (units[start] ?? text.length),
      end: from + (units[end] ?? text.length),
    })),
  };
}

/** For each code point of a text (the tokenizer counts those): its first UTF-16 unit. */
function unitsOfCodePoints(text: string): Uint32Array {
  const units = new Uint32Array(text.length);
  let points = 0;
  let unit = 0;
  for (const character of text) {
    units[points++] = unit;
    unit += character.length;
  }
  return units.subarray(0, points);
}

/** The first `length` UTF-16 units, or one less to keep a surrogate pair whole. */
function wholeCharacters(text: string, length: number): string {
  const cut = text.slice(0, length);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** The last `length` UTF-16 units, or one less to keep a surrogate pair whole. */
function lastCharacters(text: string, length: number): string {
  const cut = text.slice(-length);
  return cut.isWellFormed() ? cut : cut.slice(1);
}

/** Rejects special tokens at the end, which truncation would have to keep. Llama and Qwen3 tokenizers have none. */
async function refuseTrailingSpecialTokens(file: string, tokenizer: tokenizers.Tokenizer): Promise<void> {
  const bare = (await tokenizer.encode('a', null, { addSpecialTokens: false })).getIds();
  const full = (await tokenizer.encode('a')).getIds();
  if (full.slice(full.length - bare.length).some((id, i) => id !== bare[i])) {
    throw new UserError(`${file} appends special tokens after a text, which is not built for truncation`);
  }
}

/**
 * The tokens of a trajectory that the model sees: all, or the first and the last half of `maxLength` (llm-siren
 * `encode_truncated`). The tools are at the front, and the guard reads the last token.
 *
 * @param tokens    of the whole trajectory
 * @param maxLength that the model takes
 * @returns their indices, in order
 */
export function headAndTail(tokens: number, maxLength: number): number[] {
  const kept = Math.min(tokens, maxLength);
  const head = tokens > maxLength ? Math.floor(maxLength / 2) : tokens;
  return Array.from({ length: kept }, (_, i) => (i < head ? i : i + tokens - kept));
}
