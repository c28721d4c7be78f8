import { codeOf } from '@tocsin/core';
import type { End } from './end.js';
import { outputError } from './output.js';

/** Characters collected before they are handed to the stream. */
const WRITE_CHARS = 64 * 1024;

/** Turns rows into text or bytes. It may hold some of them back until its end. */
export interface Encoder<Row> {
  /** What stands before the first row. */
  readonly header: string;
  rows(rows: readonly Row[]): string | Uint8Array;
  /** What is left when all rows were given. */
  end?(): Uint8Array;
}

/** Writes rows; await each call before the next. Ends with `finish` or `abort`. */
export interface RowWriter<Row> {
  /** Resolves when more may be written. Throws a `UserError` when the output takes no more (no space left, ...). */
  write(rows: readonly Row[]): Promise<void>;
  /** Write what is left and put the output in its place. */
  finish(): Promise<void>;
  /** Give up: no file is left behind. Does nothing after `finish` or another `abort`. */
  abort(): Promise<void>;
  /** True once the reader of a pipe has gone (`... | head`): what is written since then is dropped. */
  readonly readerGone: boolean;
  /** After `finish`: what the person who wanted the output should know of it. */
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
      // The reader of a pipe may stop when it has seen enough: that is no failure.
      this.readerGone = codeOf(error) === 'EPIPE';
      await this.abort();
      if (this.readerGone) return;
      // An error without a code comes from no file system: it is a defect of ours.
      throw codeOf(error) === undefined ? error : outputError(this.#path, error);
    }
  }
}
