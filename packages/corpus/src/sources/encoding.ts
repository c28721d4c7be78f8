import { isUtf8 } from 'node:buffer';
import { UserError } from '@tocsin/core';
import { analyse } from 'chardet';
import iconv from 'iconv-lite';

/** The hint for invalid UTF-8. */
export const ENCODING_HINT =
  'If the file has another encoding, set it: --encoding windows-1252 (or windows-1251, koi8-r, shift_jis, euc-kr, gb18030, big5, ...).';

/** Of the records that are not UTF-8, in bytes: what a guess is made from. */
const SAMPLE_BYTES = 16 * 1024;
/** In percent, as `chardet` gives it: a guess needs this much, and this much more than the next one. */
const CONFIDENCE = 40;
const AHEAD = 10;
/** Guesses that say nothing: the records are not UTF-8, and UTF-16 and UTF-32 are detected before. */
const NO_GUESS = /^(UTF-|ASCII|ISO-2022)/;

/** Bytes that windows-1252 does not define. */
const UNDEFINED_BYTES = new Set([0x81, 0x8d, 0x8f, 0x90, 0x9d]);
/** Lead bytes of most UTF-8 sequences: standing alone, they are the rest of a truncated one. */
const CUT_LEADS = new Set([0xc2, 0xc3, 0xe2, 0xf0]);
/** Accented letters are isolated among ASCII; other alphabets have long runs of high bytes. */
const LONGEST_RUN = 2;

/** Guesses the encoding of records that are not UTF-8. */
export class EncodingGuess {
  #fits = true;
  #accents = 0;
  /** Records that are not UTF-8 hold characters of it; by chance, other encodings do too. */
  #hasUtf8 = false;
  /** Other records hold characters of UTF-8. */
  #isMixed = false;
  #sample: Buffer[] = [];
  #sampled = 0;
  /** Records that are not UTF-8. */
  broken = 0;

  /** Adds a record that is not UTF-8. */
  readonly seeBroken = (bytes: Buffer): void => {
    this.broken += 1;
    if (this.#sampled < SAMPLE_BYTES) {
      // A copy: the record is part of a larger buffer.
      const part = Buffer.concat([bytes.subarray(0, SAMPLE_BYTES), NEWLINE]);
      this.#sample.push(part);
      this.#sampled += part.length;
    }
    if (/[^\p{ASCII}\ufffd]/u.test(bytes.toString('utf8'))) this.#hasUtf8 = true;
    let run = 0;
    for (const byte of bytes) {
      run = byte < 0x80 ? 0 : run + 1;
      if (run > LONGEST_RUN || UNDEFINED_BYTES.has(byte)) this.#fits = false;
      if (byte >= 0x80 && !CUT_LEADS.has(byte)) this.#accents += 1;
    }
  };

  /** Adds a decoded text. */
  seeText(text: string): void {
    if (!this.#isMixed) this.#isMixed = /\P{ASCII}/u.test(text);
  }

  /** Whether every record so far is windows-1252 and none contains non-ASCII UTF-8. */
  get isWestern(): boolean {
    return this.#fits && this.#accents > 0 && !this.#hasUtf8 && !this.#isMixed;
  }

  get hint(): string {
    if (this.isWestern) return 'It looks like windows-1252 (Latin-1): use --encoding windows-1252';
    const name = this.#isMixed ? undefined : likelyEncoding(Buffer.concat(this.#sample));
    return name === undefined ? ENCODING_HINT : `It looks like ${name}: use --encoding ${name.toLowerCase()}`;
  }
}

const NEWLINE = Buffer.from('\n');

/** The encoding that text in another than UTF-8 most likely has, if one is clearly ahead of the others. */
function likelyEncoding(bytes: Buffer): string | undefined {
  const [best, next] = analyse(bytes);
  if (best === undefined || NO_GUESS.test(best.name) || !iconv.encodingExists(best.name)) return undefined;
  return best.confidence >= Math.max(CONFIDENCE, (next?.confidence ?? 0) + AHEAD) ? best.name : undefined;
}

const UTF8_NAMES = new Set(['utf8', 'utf-8']);
/** A byte that is never valid in UTF-8: undecodable bytes thus reject the row they are in. */
const NO_CHARACTER = Buffer.from([0xff]);

/** @throws UserError for an unknown encoding */
export function checkEncoding(name: string): void {
  if (UTF8_NAMES.has(name.toLowerCase()) || iconv.encodingExists(name)) return;
  throw new UserError(`unknown encoding "${name}"`, {
    hint: 'For example --encoding windows-1252, utf-16le, shift_jis or gb18030.',
  });
}

/**
 * Detects the encoding of a text: UTF-16 or UTF-32 by the byte order mark, UTF-16 without one by the zero bytes of its
 * first two characters; undefined for anything else, which should be UTF-8.
 */
export function detectEncoding(head: Buffer): { name: string; marked: boolean } | undefined {
  const [a = -1, b = -1, c = -1, d = -1] = head;
  if (a === 0xff && b === 0xfe) return { name: c === 0 && d === 0 ? 'utf-32le' : 'utf-16le', marked: true };
  if (a === 0xfe && b === 0xff) return { name: 'utf-16be', marked: true };
  const ascii = (byte: number): boolean => byte > 0 && byte < 0x80;
  if (ascii(a) && b === 0 && ascii(c) && d === 0) return { name: 'utf-16le', marked: false };
  if (a === 0 && ascii(b) && c === 0 && ascii(d)) return { name: 'utf-16be', marked: false };
  return undefined;
}

/** Converts to UTF-8. Undecodable input becomes a byte that is invalid UTF-8. */
export async function* toUtf8(chunks: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  if (UTF8_NAMES.has(encoding.toLowerCase())) {
    yield* chunks;
    return;
  }
  const decoder = iconv.getDecoder(encoding, { stripBOM: false });
  // Unicode encodings may contain U+FFFD themselves; in others only the decoder produces it.
  const isUnicode = /^utf-?(16|32)/i.test(encoding);
  let carried = '';
  for await (const chunk of chunks) {
    const text = carried + decoder.write(chunk);
    const split = /[\ud800-\udbff]$/.test(text);
    carried = split ? text.slice(-1) : '';
    yield encoded(split ? text.slice(0, -1) : text, isUnicode);
  }
  const rest = encoded(carried + (decoder.end() ?? ''), isUnicode);
  if (rest.length > 0) yield rest;
}

function encoded(text: string, isUnicode: boolean): Buffer {
  const unusable = isUnicode ? /\p{Surrogate}/u : /\ufffd/;
  if (!unusable.test(text)) return Buffer.from(text);
  const parts = text.split(new RegExp(unusable.source, unusable.flags));
  return Buffer.concat(parts.flatMap((part, i) => [...(i > 0 ? [NO_CHARACTER] : []), Buffer.from(part)]));
}

/** Offset of the first byte that does not start a valid UTF-8 sequence (RFC 3629); undefined when all bytes are valid. */
export function firstInvalidUtf8(bytes: Uint8Array): number | undefined {
  if (isUtf8(bytes)) return undefined;
  let at = 0;
  for (let length = sequenceLength(bytes, at); length > 0; length = sequenceLength(bytes, at)) at += length;
  return at;
}

/** Length of the sequence at `at`; 0 when invalid. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at];
  if (lead === undefined) return 0;
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  // The range of the second byte excludes overlong forms, surrogates and code points above U+10FFFF.
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  const second = bytes[at + 1] ?? 0;
  if (second < lowest || second > highest) return 0;
  const length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  for (let i = 2; i < length; i += 1) if (((bytes[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}
