import { codeOf } from '@tocsin/core';
import type { End } from './end.js';
import { outputError } from './output.js';

/** Characters buffered before a write to the stream. */
const WRITE_CHARS = 64 * 1024;

/** Encodes rows as text or bytes. May buffer some until the end. */
export interface Encoder<Row> {
  /** Written before the first row. */
  readonly header: string;
  rows(rows: readonly Row[]): string | Uint8Array;
  /** The rest, after all rows. */
  end?(): Uint8Array;
}

/** Writes rows; await each call before the next. Ends with `finish` or `abort`. */
export interface RowWriter<Row> {
  /** Resolves when more may be written. @throws UserError when the output fails (no space left, ...) */
  write(rows: readonly Row[]): Promise<void>;
  /** Writes the rest and commits the output. */
  finish(): Promise<void>;
  /** Aborts and leaves no file behind. A no-op after `finish` or another `abort`. */
  abort(): Promise<void>;
  /** True once the reader of a pipe has gone (`... | head`): further writes are dropped. */
  readonly readerGone: boolean;
  /** After `finish`: notices about the output. */
  readonly notes?: readonly string[];
}

/** A writer of encoded rows into a file or stream. */
export class StreamWriter<Row> implements RowWriter<Row> {
  readerGone = false;
  readonly #path: string;
  readonly #encoder: Encoder<Row>;
  readonly #end: End;
  #text: string;
  #state: 'open' | 'finished' | 'aborted' = 'open';

  constructor(path: string, encoder: Encoder<Row>, end: End) {
    this.#path = path;
    this.#encoder = encoder;
    this.#end = end;
    this.#text = encoder.header;
  }

  async write(rows: readonly Row[]): Promise<void> {
    if (this.readerGone) return;
    const encoded = this.#encoder.rows(rows);
    if (typeof encoded === 'string') {
      this.#text += encoded;
      if (this.#text.length >= WRITE_CHARS) await this.#attempt(() => this.#flush());
    } else if (encoded.length > 0) {
      await this.#attempt(() => this.#end.write(encoded));
    }
  }

  async finish(): Promise<void> {
    if (this.#state === 'finished' || this.readerGone) return;
    if (this.#state === 'aborted') throw new Error('the writer was aborted before finish');
    await this.#attempt(async () => {
      await this.#flush();
      const rest = this.#encoder.end?.();
      if (rest !== undefined) await this.#end.write(rest);
      await this.#end.finish();
      this.#state = 'finished';
    });
  }

  async abort(): Promise<void> {
    if (this.#state !== 'open') return;
    this.#state = 'aborted';
    await this.#end.abort();
  }

  #flush(): Promise<void> {
    const text = this.#text;
    this.#text = '';
    return text === '' ? Promise.resolve() : this.#end.write(text);
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      // A pipe's reader may stop early; that is not a failure.
      this.readerGone = codeOf(error) === 'EPIPE';
      await this.abort();
      if (this.readerGone) return;
      // An error without a code is not from the file system: a bug.
      throw codeOf(error) === undefined ? error : outputError(this.#path, error);
    }
  }
}
