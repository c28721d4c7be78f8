import { readFile } from 'node:fs/promises';
import { UserError } from '@tocsin/core';
import type { Span } from '@tocsin/siren';
import tokenizers from 'tokenizers';
import { headAndTail } from './head-and-tail.js';

/** A text as the model sees it. */
export interface TokenizedText {
  tokenIds: Int32Array;
  /** The text had more tokens than `maxLength`; the rest was left out, on the right. */
  truncated: boolean;
}

/**
 * A text's tokens, each with the piece of the text that it was made of: all of them, or of a text far longer than what is
 * kept those of its beginning (and of its end), at least as many as are kept.
 */
export interface TokenSpans {
  tokenIds: Int32Array;
  /** In UTF-16 units. Tokens that share a character have spans that overlap; a special token's is empty. */
  spans: Span[];
  /** Of the whole text. Where not all of it was looked at, an estimate from what was. */
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
 * Characters of a text that are looked at first, per token of `maxLength`. Real text has 1 to 5 characters a token,
 * so this much nearly always holds all the tokens that are kept.
 */
const CHARACTERS_PER_TOKEN = 16;
/** Of a text's end so many times as much is looked at, at most, where it does not settle. */
const MOST_CHARACTERS_FACTOR = 8;
/**
 * What stands between the kept tokens and a cut through the text: enough that the cut cannot reach them. Splitting into
 * words looks at most a few words ahead (the longest added token). Inside a word without end, merges carry a difference
 * from token to token only as long as each is a likelier pair than the one before; this many characters were enough for
 * everything that was tried.
 */
const SETTLED_WORDS = 32;
const SETTLED_CHARACTERS = 4096;

/** A backbone's own tokenizer, with its special tokens, truncating on the right as the reference does. */
export class Tokenizer {
  readonly #tokenizer: tokenizers.Tokenizer;
  readonly #maxLength: number;

  private constructor(tokenizer: tokenizers.Tokenizer, maxLength: number) {
    this.#tokenizer = tokenizer;
    this.#maxLength = maxLength;
  }

  /**
   * @param file      a `tokenizer.json`
   * @param maxLength tokens a text is truncated to, special tokens included
   */
  static async open(file: string, maxLength: number): Promise<Tokenizer> {
    const json = await readFile(file, 'utf8');
    let tokenizer: tokenizers.Tokenizer;
    try {
      tokenizer = tokenizers.Tokenizer.fromString(json);
    } catch (cause) {
      throw new UserError(`${file} is no tokenizer that can be read: ${(cause as Error).message}`, { cause });
    }
    // Truncation and padding that the file asks for are not what the reference does: it sets its own.
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
   * Token ids of each text without its middle (see headAndTail): all of them, or the first half of `maxLength` and the
   * last. Runs outside the event loop's thread.
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
   * A text's tokens with where each stands in the text. With `ends`, what `headAndTail` takes of them is what it would take
   * of the whole text's; else the same holds of the first `maxLength`.
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
   * A text far longer than what is kept: the first `maxLength` tokens of the whole text, and whether there are more,
   * without the time and memory that the rest would take.
   */
  async #encodeLong(text: string, limit: number): Promise<TokenizedText> {
    const beginning = await this.#beginning(text, limit);
    const ids = beginning.piece.encoding.getIds();
    return beginning.isWhole ? this.#truncate(ids) : { tokenIds: this.#kept(ids), truncated: true };
  }

  /** Tokenizes as much of a text's beginning as settles its first `maxLength` tokens. */
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
      // In code points, of which a cut text has at most as many as units.
      if (keptEnd !== undefined && end !== undefined && end - keptEnd >= SETTLED_CHARACTERS) {
        return { piece, isWhole: false };
      }
    }
    return { piece: await this.#whole(text), isWhole: true };
  }

  /**
   * The tokens of a long text, or its beginning and its end with more than `maxLength` tokens in all: so many that
   * headAndTail takes of them what it would take of the whole.
   */
  async #endsOfLong(text: string, limit: number): Promise<number[]> {
    const { piece, isWhole } = await this.#beginning(text, limit);
    const ids = piece.encoding.getIds();
    if (isWhole) return ids;
    const end = (await this.#end(text, limit)).encoding.getIds();
    return [...ids.slice(0, this.#maxLength), ...end.slice(-this.#maxLength)];
  }

  /**
   * The end of a text with its last `maxLength` tokens. Where the text is cut on the left decides what the next words are, until both ways
   * of splitting meet: so two cuts have to agree. In a word without end they may never (a run of one letter is grouped
   * from its start); what is taken there is what the longer of the last two pieces gives.
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
    // Several times as fast as Int32Array.from, which goes by the iterator.
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

/** The first `length` UTF-16 units, less one where that would cut a surrogate pair. */
function wholeCharacters(text: string, length: number): string {
  const cut = text.slice(0, length);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** The last `length` UTF-16 units, less one where that would cut a surrogate pair. */
function lastCharacters(text: string, length: number): string {
  const cut = text.slice(-length);
  return cut.isWellFormed() ? cut : cut.slice(1);
}

/** Truncation must then keep the tokens at the end, which is not built. Llama and Qwen3 tokenizers have none there. */
async function refuseTrailingSpecialTokens(file: string, tokenizer: tokenizers.Tokenizer): Promise<void> {
  const bare = (await tokenizer.encode('a', null, { addSpecialTokens: false })).getIds();
  const full = (await tokenizer.encode('a')).getIds();
  if (full.slice(full.length - bare.length).some((id, i) => id !== bare[i])) {
    throw new UserError(`${file} appends special tokens after a text, which is not built for truncation`);
  }
}
