import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Output } from './output.js';

/** A destination for text or bytes. */
export interface End {
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
