import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { codeOf } from '@tocsin/core';
import { type Output, outputError } from './output.js';

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

/** A destination for text or bytes. */
interface End {
  write(data: string | Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

/** A file or device opened for the scores, compressed or not. */
export class OwnEnd implements End {
  readonly #output: Output;
  readonly #head: Writable;
  /** Settles when the last byte is written, or at the first error. */
  readonly #done: Promise<void>;

  constructor(output: Output, gzip: boolean) {
    this.#output = output;
    const compress = gzip ? createGzip() : undefined;
    this.#head = compress ?? output.stream;
    this.#done = compress === undefined ? finished(output.stream) : pipeline(compress, output.stream);
    // The next write rethrows the error; without this handler it would be unhandled.
    this.#done.catch(() => {});
  }

  async write(data: string | Uint8Array): Promise<void> {
    // A stream that fails during a write may never call back.
    await Promise.race([written(this.#head, data), this.#done]);
  }

  async finish(): Promise<void> {
    this.#head.end();
    await this.#done;
    await this.#output.commit();
  }

  async abort(): Promise<void> {
    this.#head.destroy();
    this.#output.stream.destroy();
    await this.#output.discard();
  }
}

/** Standard output: it belongs to the process and stays open. */
export class OpenEnd implements End {
  readonly #stream: Writable;
  readonly #ignore = (): void => {};

  constructor(stream: Writable) {
    this.#stream = stream;
    // The failing write reports the error; without a listener the event would crash the process.
    stream.on('error', this.#ignore);
  }

  write(data: string | Uint8Array): Promise<void> {
    return written(this.#stream, data);
  }

  async finish(): Promise<void> {
    this.#stream.off('error', this.#ignore);
  }

  async abort(): Promise<void> {
    // Keep the listener: a broken pipe emits an error for every later write, also by other writers.
  }
}

function written(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}
