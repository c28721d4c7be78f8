import type { Transform } from 'node:stream';

/** A decompressor of node:zlib. */
export type Decompressor = Transform & { readonly bytesWritten: number };

/**
 * Feeds a decompressor piece by piece and returns the output of each piece. In a pipeline, an error would discard
 * buffered output.
 */
export class ZlibFeed {
  /** Whether the decompressor has ended on its own; it ignores further input. */
  ended = false;
  readonly #zlib: Decompressor;
  readonly #ready: Buffer[] = [];
  #settle: (error?: unknown) => void = () => {};

  constructor(zlib: Decompressor) {
    this.#zlib = zlib;
    zlib.on('data', (chunk: Buffer) => this.#ready.push(chunk));
    zlib.on('error', (error) => this.#settle(error));
    zlib.on('end', () => {
      this.ended = true;
      this.#settle();
    });
  }

  /** Compressed bytes read so far. */
  get bytesRead(): number {
    return this.#zlib.bytesWritten;
  }

  push(piece: Buffer): AsyncGenerator<Buffer> {
    return this.#step((done) => this.#zlib.write(piece, () => done()));
  }

  /** Ends the input. Throws when the data is truncated. */
  end(): AsyncGenerator<Buffer> {
    return this.#step((done) => (this.ended ? done() : this.#zlib.end()));
  }

  close(): void {
    this.#zlib.destroy();
  }

  /** Output until `start` is done; after an error, the output before it. */
  async *#step(start: (done: () => void) => void): AsyncGenerator<Buffer> {
    try {
      await new Promise<void>((resolve, reject) => {
        this.#settle = (error) => (error === undefined ? resolve() : reject(error));
        start(() => this.#settle());
      });
    } finally {
      yield* this.#ready.splice(0);
    }
  }
}
