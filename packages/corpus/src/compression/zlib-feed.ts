import type { Transform } from 'node:stream';

/** A decompressor of node:zlib. */
export type Decompressor = Transform & { readonly bytesWritten: number };

/**
 * Feeds a decompressor piece by piece and returns what each piece yields. In a pipeline, its error would throw away what it
 * has buffered.
 */
export class ZlibFeed {
  /** Whether the decompressor has ended by itself: it reads nothing that follows. */
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

  /** Compressed bytes that the decompressor has read. */
  get bytesRead(): number {
    return this.#zlib.bytesWritten;
  }

  push(piece: Buffer): AsyncGenerator<Buffer> {
    return this.#step((done) => this.#zlib.write(piece, () => done()));
  }

  /** Says that no more comes. Throws when the data ends too early. */
  end(): AsyncGenerator<Buffer> {
    return this.#step((done) => (this.ended ? done() : this.#zlib.end()));
  }

  close(): void {
    this.#zlib.destroy();
  }

  /** What comes out until `start` is done; after an error, what came before it. */
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
