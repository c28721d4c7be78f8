import { UserError } from '@tocsin/errors';
import { Decompress, ZstdErrorCode } from 'fzstd';
import { DamagedArchive } from './damaged-archive.js';

/** Compressed bytes handed over at once: 4 of them may stand for a block of 128 KB. */
const PIECE_BYTES = 1024;
/** The most that `zstd -d` takes too, unless it is told otherwise. */
const MAX_WINDOW_BYTES = 128 * 1024 * 1024;
/** Bytes of a frame's header. */
const HEADER_BYTES = 18;

/**
 * Decompress a stream of zstd frames (skippable ones are skipped). What came before the damage is given out first. The
 * optional checksum of a frame is not looked at: damage is noticed where it breaks the format.
 */
export async function* unzstd(chunks: AsyncIterable<Buffer>, source: string): AsyncGenerator<Buffer> {
  const ready: Buffer[] = [];
  // It goes on writing into what it has given out.
  const zstd = new Decompress((data) => ready.push(Buffer.from(data)));
  let head: Buffer | undefined = Buffer.alloc(0);
  let fed = 0;
  const feed = (piece: Uint8Array, last: boolean): void => {
    fed += piece.length;
    try {
      zstd.push(piece, last);
    } catch (error) {
      const truncated = codeOfZstd(error) === ZstdErrorCode.UnexpectedEOF;
      throw new DamagedArchive('zstd', fed, truncated, { cause: error });
    }
  };
  try {
    for await (const chunk of chunks) {
      if (head !== undefined && head.length < HEADER_BYTES) {
        head = Buffer.concat([head, chunk.subarray(0, HEADER_BYTES)]);
        if (head.length >= HEADER_BYTES) {
          checkWindow(head, source);
          head = undefined;
        }
      }
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        feed(chunk.subarray(at, at + PIECE_BYTES), false);
        yield* ready.splice(0);
      }
    }
    feed(new Uint8Array(0), true);
    yield* ready.splice(0);
  } catch (error) {
    yield* ready.splice(0);
    throw error;
  }
}

function codeOfZstd(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** A frame is decompressed with a window of its size in memory (RFC 8878, 3.1.1.1). */
function checkWindow(header: Buffer, source: string): void {
  const descriptor = header.readUInt8(4);
  const singleSegment = (descriptor & 0x20) !== 0;
  if (singleSegment) return;
  const window = header.readUInt8(5);
  const base = 2 ** (10 + (window >> 3));
  const bytes = base + (base / 8) * (window & 7);
  if (bytes <= MAX_WINDOW_BYTES) return;
  throw new UserError(`${JSON.stringify(source)} was compressed with a window of ${bytes / 1024 ** 2} MB.`, {
    hint: 'Decompress it (zstd -d --long=31), or compress it without --long.',
  });
}
