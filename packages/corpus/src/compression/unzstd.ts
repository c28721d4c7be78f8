import { isUserError } from '@tocsin/core';
import { Decompress, ZstdErrorCode } from 'fzstd';
import { DamagedArchive } from './damaged-archive.js';
import { Xxh64 } from './xxh64.js';
import { type FramePart, ZstdFrames } from './zstd-frames.js';

/** Compressed bytes handed over at once: 4 of them may stand for a block of 128 KB. */
const PIECE_BYTES = 1024;

/**
 * Decompress a stream of zstd frames; skippable ones are skipped, checksums are looked at. What came before the damage is
 * given out first.
 */
export async function* unzstd(chunks: AsyncIterable<Buffer>, source: string): AsyncGenerator<Buffer> {
  const frames = new ZstdFrames(source);
  let frame = new Frame();
  let fed = 0;
  try {
    for await (const chunk of chunks) {
      for (const part of frames.push(chunk)) {
        const { bytes, skippable, last } = part;
        for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
          const piece = bytes.subarray(at, at + PIECE_BYTES);
          fed += piece.length;
          if (!skippable) yield* frame.push(piece, last && at + PIECE_BYTES >= bytes.length);
        }
        if (!last) continue;
        if (!frame.matches(part)) throw new RangeError('the content does not match its checksum');
        frame = new Frame();
      }
    }
  } catch (error) {
    if (isUserError(error) || !isOfFormat(error)) throw error;
    throw new DamagedArchive('zstd', fed, isTruncated(error), { cause: error });
  }
  if (!frames.whole) throw new DamagedArchive('zstd', fed, true, { detail: 'unexpected end of file' });
}

/** Decompresses one frame. */
class Frame {
  readonly #ready: Buffer[] = [];
  readonly #hash = new Xxh64();
  // It goes on writing into what it has given out.
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
}

/** Errors of the decompressor have a number for a code, or come from reading past the end of its tables. */
function isOfFormat(error: unknown): boolean {
  return error instanceof RangeError || error instanceof TypeError || codeOfZstd(error) !== undefined;
}

function isTruncated(error: unknown): boolean {
  return codeOfZstd(error) === ZstdErrorCode.UnexpectedEOF;
}

function codeOfZstd(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined;
}
