import zlib from 'node:zlib';
import { codeOf, isUserError } from '@tocsin/core';
import { Decompress, ZstdErrorCode } from 'fzstd';
import { Xxh64 } from './xxh64.js';
import { DamagedArchive, type Decompressor, ZlibFeed } from './zlib.js';
import { type FramePart, LARGEST_WINDOW_BYTES, ZstdFrames } from './zstd-frames.js';

const MB = 1024 * 1024;

/** A decompressor of zstd frames. */
export interface ZstdDecoder {
  /** Compressed bytes passed at once; 4 of them can expand to a block of 128 KB. */
  pieceBytes: number;
  /** The largest window of a frame. */
  maxWindowBytes: number;
  /** Resets for the next frame. */
  frame(): Frame;
}

interface Frame {
  /** The output of a piece. `last`: the piece ends the frame. */
  push(piece: Buffer, last: boolean): Iterable<Buffer> | AsyncIterable<Buffer>;
  /** Whether the content matches the frame's checksum. */
  matches(last: FramePart): boolean;
  close(): void;
}

/** In JavaScript, for Node below 22.15. It keeps a whole window in memory, so the limit is that of `zstd -d`. */
export const portableZstd: ZstdDecoder = {
  pieceBytes: 1024,
  maxWindowBytes: 128 * MB,
  frame: () => new PortableFrame(),
};

/** Node's own decompressor; undefined below 22.15. */
export const nativeZstd: ZstdDecoder | undefined = nativeDecoder();

/**
 * Decompresses a stream of zstd frames, skipping skippable ones and verifying checksums. Data before the damage is
 * yielded first.
 */
export async function* unzstd(
  chunks: AsyncIterable<Buffer>,
  source: string,
  decoder: ZstdDecoder = nativeZstd ?? portableZstd,
): AsyncGenerator<Buffer> {
  const frames = new ZstdFrames(source, decoder.maxWindowBytes);
  let frame: Frame | undefined;
  let fed = 0;
  try {
    for await (const chunk of chunks) {
      for (const part of frames.push(chunk)) {
        const { bytes, skippable, last } = part;
        for (let at = 0; at < bytes.length; at += decoder.pieceBytes) {
          const piece = bytes.subarray(at, at + decoder.pieceBytes);
          fed += piece.length;
          if (skippable) continue;
          frame ??= decoder.frame();
          yield* frame.push(piece, last && at + decoder.pieceBytes >= bytes.length);
        }
        if (!last || frame === undefined) continue;
        if (!frame.matches(part)) throw new RangeError('the content does not match its checksum');
        frame.close();
        frame = undefined;
      }
    }
  } catch (error) {
    if (isUserError(error) || !isOfFormat(error)) throw error;
    throw new DamagedArchive('zstd', fed, isTruncated(error), { cause: error });
  } finally {
    frame?.close();
  }
  if (!frames.whole) throw new DamagedArchive('zstd', fed, true, { detail: 'unexpected end of file' });
}

class PortableFrame implements Frame {
  readonly #ready: Buffer[] = [];
  readonly #hash = new Xxh64();
  // fzstd reuses the buffers it has returned: copy them.
  readonly #zstd = new Decompress((data) => this.#ready.push(Buffer.from(data)));

  *push(piece: Buffer, last: boolean): Generator<Buffer> {
    try {
      this.#zstd.push(piece, last);
    } finally {
      for (const data of this.#ready.splice(0)) {
        this.#hash.update(data);
        yield data;
      }
    }
  }

  matches({ checksum }: FramePart): boolean {
    return checksum === undefined || checksum === Number(this.#hash.digest() & 0xffffffffn);
  }

  close(): void {}
}

/** zlib verifies the checksum itself. */
class NativeFrame implements Frame {
  readonly #feed: ZlibFeed;

  constructor(decompressor: Decompressor) {
    this.#feed = new ZlibFeed(decompressor);
  }

  async *push(piece: Buffer, last: boolean): AsyncGenerator<Buffer> {
    yield* this.#feed.push(piece);
    if (last) yield* this.#feed.end();
  }

  matches(): boolean {
    return true;
  }

  close(): void {
    this.#feed.close();
  }
}

function nativeDecoder(): ZstdDecoder | undefined {
  // Not in the types yet.
  const { createZstdDecompress: create, constants } = zlib as typeof zlib & {
    createZstdDecompress?: (options: { params: Record<number, number> }) => Decompressor;
    constants: { ZSTD_d_windowLogMax?: number };
  };
  const { ZSTD_d_windowLogMax: windowLogMax } = constants;
  if (create === undefined || windowLogMax === undefined) return undefined;
  const params = { [windowLogMax]: Math.log2(LARGEST_WINDOW_BYTES) };
  return {
    pieceBytes: 4096,
    maxWindowBytes: LARGEST_WINDOW_BYTES,
    frame: () => new NativeFrame(create({ params })),
  };
}

/** Node's errors have a zstd code; fzstd's have a number, or come from reading past the end of its tables. */
function isOfFormat(error: unknown): boolean {
  if (error instanceof RangeError || error instanceof TypeError) return true;
  return codeOfZstd(error) !== undefined || /^(?:Z|ZSTD)_/.test(codeOf(error) ?? '');
}

function isTruncated(error: unknown): boolean {
  return codeOfZstd(error) === ZstdErrorCode.UnexpectedEOF || codeOf(error) === 'Z_BUF_ERROR';
}

function codeOfZstd(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
