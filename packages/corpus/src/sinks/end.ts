import type { Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Output } from './output.js';

/** The end of the way: takes text or bytes and finishes in its own manner. */
export interface End {
  write(data: string | Uint8Array): Promise<void>;
  finish(): Promise<void>;
  abort(): Promise<void>;
}

/** A file or device that was opened for the scores, compressed or not. */
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
    // Whoever writes next meets the error; until then nobody has to wait for it.
    this.#done.catch(() => {});
  }

  async write(data: string | Uint8Array): Promise<void> {
    // A stream that dies in the middle of a write may never call back.
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
    // The write that fails reports the error; unheard, the event would end the process as well.
    stream.on('error', this.#ignore);
  }

  write(data: string | Uint8Array): Promise<void> {
    return written(this.#stream, data);
  }

  async finish(): Promise<void> {
    this.#stream.off('error', this.#ignore);
  }

  async abort(): Promise<void> {
    // The listener stays: a pipe that has broken reports it for every later write, also for those of others.
  }
}

function written(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}
