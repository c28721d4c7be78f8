const LF = 0x0a;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** The layout of a JSON file: one value per line, an array, or objects over several lines. */
export type JsonLayout = 'lines' | 'array' | 'objects';

/** The layout of a file that starts with `head`. */
export function jsonLayout(head: Buffer): JsonLayout {
  const text = head.toString('utf8').trimStart();
  const end = text.indexOf('\n');
  const first = (end === -1 ? text : text.slice(0, end)).trim();
  if (first === '{') return 'objects';
  if (!first.startsWith('[')) return 'lines';
  const isFollowed = end !== -1 && text.slice(end).trim() !== '';
  return isFollowed && isJson(first) ? 'lines' : 'array';
}

/** Whether a text is one JSON value. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

export interface JsonValue {
  /** 1-based number of the value in the file. */
  number: number;
  /** Length in bytes. */
  length: number;
  /** Undefined when it exceeds the limit. */
  bytes: Buffer | undefined;
}

/**
 * Splits a stream of bytes into the elements of one or more JSON arrays, or into consecutive objects, across any number
 * of lines. Only tracks brackets and strings: validating a value is up to its parser.
 */
export class JsonValueSplitter {
  /** Values yielded so far. */
  values = 0;
  readonly #layout: JsonLayout;
  readonly #maxBytes: number;
  #inArray = false;
  #state: 'between' | 'nested' | 'scalar' = 'between';
  #depth = 0;
  #inString = false;
  #escaped = false;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(layout: JsonLayout, maxBytes: number) {
    this.#layout = layout;
    this.#maxBytes = maxBytes;
  }

  /** Whether an array is still open. */
  get open(): boolean {
    return this.#inArray;
  }

  /** The values that end in this chunk. */
  *push(chunk: Buffer): Generator<JsonValue, void, undefined> {
    let from = 0;
    for (let at = 0; at < chunk.length; at += 1) {
      const byte = chunk[at] ?? 0;
      if (this.#state === 'between') {
        from = at;
        this.#begin(byte);
      } else if (this.#state === 'nested') {
        if (this.#endsNested(byte)) yield this.#take(chunk.subarray(from, at + 1));
      } else if (this.#endsScalar(byte)) {
        yield this.#take(chunk.subarray(from, at));
        // The byte belongs to the enclosing level.
        at -= 1;
      }
    }
    if (this.#state !== 'between') this.#keep(chunk.subarray(from));
  }

  /** The last value, if it is unterminated. */
  *end(): Generator<JsonValue, void, undefined> {
    if (this.#state !== 'between') yield this.#take(Buffer.alloc(0));
  }

  #begin(byte: number): void {
    if (isBlank(byte) || byte === COMMA) return;
    if (this.#layout === 'array' && byte === OPEN_LIST && !this.#inArray) {
      this.#inArray = true;
    } else if (this.#inArray && byte === CLOSE_LIST) {
      this.#inArray = false;
    } else {
      this.#state = byte === OPEN_OBJECT || byte === OPEN_LIST ? 'nested' : 'scalar';
      this.#depth = 1;
      this.#inString = byte === QUOTE;
    }
  }

  #endsNested(byte: number): boolean {
    const wasInString = this.#inString;
    if (this.#passString(byte)) return false;
    // A string is not closed on its line: later brackets may belong to the next value.
    if (wasInString && byte === LF) return true;
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) this.#depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) this.#depth -= 1;
    return this.#depth === 0;
  }

  #endsScalar(byte: number): boolean {
    if (this.#passString(byte)) return false;
    return isBlank(byte) || byte === COMMA || byte === CLOSE_LIST || byte === OPEN_OBJECT;
  }

  /** Whether the byte is part of a string. Line ends never are, so that an unclosed string costs one value. */
  #passString(byte: number): boolean {
    if (!this.#inString) {
      this.#inString = byte === QUOTE;
      return this.#inString;
    }
    if (byte === LF) {
      this.#inString = false;
      this.#escaped = false;
      return false;
    }
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
    return true;
  }

  #keep(part: Buffer): void {
    this.#length += part.length;
    if (this.#length > this.#maxBytes) this.#parts = [];
    else this.#parts.push(part);
  }

  #take(tail: Buffer): JsonValue {
    const length = this.#length + tail.length;
    const bytes = length > this.#maxBytes ? undefined : Buffer.concat([...this.#parts, tail], length);
    this.#parts = [];
    this.#length = 0;
    this.#state = 'between';
    this.#inString = false;
    this.#escaped = false;
    this.values += 1;
    return { number: this.values, length, bytes };
  }
}

function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
}
