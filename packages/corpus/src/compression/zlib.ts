import type { Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { codeOf, messageOf } from '@tocsin/core';

const KB = 1024;
/** Compressed bytes passed to zlib at once; deflate expands a chunk at most 1,032 times. */
const PIECE_BYTES = 16 * KB;
const OUTPUT_BYTES = 64 * KB;

/**
 * Decompresses a stream of gzip members. Data before the damage is yielded first: all of it when the stream is
 * truncated, all but the output of the last 16 KB when it is corrupt. Zero padding after the last member is skipped.
 * Deflate has no checks of its own: damage may precede the byte where it was detected, and only the checksum at the
 * end of a member is sure to detect it.
 */
export async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const feed = new ZlibFeed(createGunzip({ chunkSize: OUTPUT_BYTES }));
  let fed = 0;
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        let piece = chunk.subarray(at, at + PIECE_BYTES);
        const start = fed;
        fed += piece.length;
        if (!feed.ended) {
          yield* feed.push(piece);
          // zlib ends on its own only at zeros after a member, and leaves them unread.
          if (feed.ended) piece = piece.subarray(feed.bytesRead - start);
        }
        if (feed.ended && piece.some((byte) => byte !== 0)) {
          throw new DamagedArchive('gzip', fed, false, {
            detail: 'data follows the padding after the last member',
          });
        }
      }
    }
    yield* feed.end();
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined || !code.startsWith('Z_')) throw error;
    throw new DamagedArchive('gzip', feed.bytesRead, code === 'Z_BUF_ERROR', { cause: error });
  } finally {
    feed.close();
  }
}

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

/** Compressed data that is truncated, or damaged at or before `byte` of the compressed stream. */
export class DamagedArchive extends Error {
  readonly kind: 'gzip' | 'zstd';
  readonly byte: number;
  readonly truncated: boolean;

  constructor(
    kind: 'gzip' | 'zstd',
    byte: number,
    truncated: boolean,
    options: { cause?: unknown; detail?: string } = {},
  ) {
    super(options.detail ?? messageOf(options.cause), { cause: options.cause });
    this.name = 'DamagedArchive';
    this.kind = kind;
    this.byte = byte;
    this.truncated = truncated;
  }
}
