import { isUtf8 } from 'node:buffer';
import { readSync } from 'node:fs';
import { UserError } from '@tocsin/core';

const DAMAGED = 'The file is damaged, incomplete or wrongly converted: take another copy of the model.';
const QUOTED_LENGTH = 80;
const UNSUPPORTED = 'Use another GGUF of the model, or its Hugging Face directory with safetensors.';

/** The file violates the GGUF format: truncated, overwritten, or badly written. */
export function damaged(path: string, problem: string): UserError {
  return new UserError(`${path}: ${problem}`, { hint: DAMAGED });
}

/** The file is valid but has an unsupported feature that would change the scores. */
export function unsupported(path: string, problem: string, hint: string = UNSUPPORTED): UserError {
  return new UserError(`${path}: ${problem}`, { hint });
}

/** Text from the file, made safe for a message: one line, bounded length. */
export function quote(text: string): string {
  return JSON.stringify(text.length > QUOTED_LENGTH ? `${text.slice(0, QUOTED_LENGTH)}...` : text);
}

const WINDOW_BYTES = 1024 * 1024;

/**
 * Reads a file forwards through a window. Checks every stated length against the rest of the file before allocating.
 * Synchronous: a header is a few MB, and an `await` for each of its 250,000 strings would cost more than reading them.
 */
export class ByteCursor {
  /** What is being read, for messages: `the header`, `metadata key "..."`. */
  reading = 'the header';
  readonly #fd: number;
  #window = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  constructor(
    readonly path: string,
    fd: number,
    readonly size: number,
  ) {
    this.#fd = fd;
  }

  /** Bytes from the start of the file. */
  get offset(): number {
    return this.#windowStart + this.#position;
  }

  get remaining(): number {
    return this.size - this.offset;
  }

  /** @throws UserError when fewer than `count` entries of at least `bytesEach` fit into the rest of the file */
  expectRoom(count: number, bytesEach: number, what: string): void {
    if (count * bytesEach > this.remaining) {
      throw damaged(
        this.path,
        `${this.reading} says ${what} ${count}, but only ${this.remaining} bytes are left of the file's ${this.size}`,
      );
    }
  }

  u8(): number {
    const at = this.#advance(1);
    return this.#window.readUInt8(at);
  }
  i8(): number {
    const at = this.#advance(1);
    return this.#window.readInt8(at);
  }
  u16(): number {
    const at = this.#advance(2);
    return this.#window.readUInt16LE(at);
  }
  i16(): number {
    const at = this.#advance(2);
    return this.#window.readInt16LE(at);
  }
  u32(): number {
    const at = this.#advance(4);
    return this.#window.readUInt32LE(at);
  }
  i32(): number {
    const at = this.#advance(4);
    return this.#window.readInt32LE(at);
  }
  f32(): number {
    const at = this.#advance(4);
    return this.#window.readFloatLE(at);
  }
  f64(): number {
    const at = this.#advance(8);
    return this.#window.readDoubleLE(at);
  }
  u64(): bigint {
    const at = this.#advance(8);
    return this.#window.readBigUInt64LE(at);
  }
  i64(): bigint {
    const at = this.#advance(8);
    return this.#window.readBigInt64LE(at);
  }

  /** A count, length or offset: an unsigned 64-bit number that a JavaScript number can hold. */
  length(what: string): number {
    // Avoids bigint: a header has hundreds of thousands of lengths.
    const low = this.u32();
    const value = this.u32() * 2 ** 32 + low;
    if (!Number.isSafeInteger(value)) {
      throw damaged(this.path, `${this.reading} says ${what} ${value}, which exceeds the file`);
    }
    return value;
  }

  /** A length (64 bits) and that many bytes of UTF-8. */
  string(maxBytes = Number.POSITIVE_INFINITY): string {
    const length = this.length('a string length of');
    if (length > maxBytes) {
      throw damaged(
        this.path,
        `${this.reading} says a string length of ${length}; expected at most ${maxBytes}`,
      );
    }
    this.expectRoom(length, 1, 'a string length of');
    const start = this.#advance(length);
    const text = this.#window.toString('utf8', start, start + length);
    // A lenient decoder would write U+FFFD for invalid UTF-8 and so change the token.
    if (text.includes('\uFFFD') && !isUtf8(this.#window.subarray(start, start + length))) {
      throw damaged(this.path, `${this.reading} contains a string that is not valid UTF-8`);
    }
    return text;
  }

  /** A copy of the next `length` bytes. */
  bytes(length: number): ArrayBuffer {
    const start = this.#advance(length);
    const copy = new Uint8Array(length);
    copy.set(this.#window.subarray(start, start + length));
    return copy.buffer;
  }

  /** Skips `count` bytes and returns their offset in the window. Call first: it may replace the window. */
  #advance(count: number): number {
    if (this.#position + count > this.#window.length) this.#fill(count);
    const start = this.#position;
    this.#position += count;
    return start;
  }

  #fill(count: number): void {
    if (count > this.remaining) {
      throw damaged(
        this.path,
        `the file ends (${this.size} bytes) inside ${this.reading}, which needs ${count} more bytes at ${this.offset}`,
      );
    }
    const start = this.offset;
    const window = Buffer.alloc(Math.min(Math.max(count, WINDOW_BYTES), this.remaining));
    for (let filled = 0; filled < window.length; ) {
      const read = readSync(this.#fd, window, filled, window.length - filled, start + filled);
      if (read === 0) throw damaged(this.path, `the file got shorter while ${this.reading} was read`);
      filled += read;
    }
    this.#window = window;
    this.#windowStart = start;
    this.#position = 0;
  }
}
