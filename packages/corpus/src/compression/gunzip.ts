import { createGunzip } from 'node:zlib';
import { codeOf } from '@tocsin/core';
import { DamagedArchive } from './damaged-archive.js';

const KB = 1024;
/** Compressed bytes handed to zlib at once: one piece grows to at most 1,032 times its size. */
const PIECE_BYTES = 16 * KB;
const OUTPUT_BYTES = 64 * KB;

/**
 * Decompress a stream of gzip members. What came before the damage is given out first: all of it when the stream is
 * truncated, all but the output of the last 16 KB when it is corrupt. zlib's stream is fed piece by piece for that
 * reason: in a pipeline, its error throws away what it has buffered. Zeros after the last member (padding) are skipped.
 * Deflate has no check of its own, so damage may lie before the byte at which it was noticed, and only the checksum at a
 * member's end is sure to notice it.
 */
export async function* gunzip(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const zlib = createGunzip({ chunkSize: OUTPUT_BYTES });
  const ready: Buffer[] = [];
  let settle: (error?: unknown) => void = () => {};
  let ended = false;
  const step = (start: (done: () => void) => void) =>
    new Promise<void>((resolve, reject) => {
      settle = (error) => (error === undefined ? resolve() : reject(error));
      start(() => settle());
    });
  zlib.on('data', (chunk: Buffer) => ready.push(chunk));
  zlib.on('error', (error) => settle(error));
  zlib.on('end', () => {
    ended = true;
    settle();
  });
  let fed = 0;
  try {
    for await (const chunk of chunks) {
      for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
        let piece = chunk.subarray(at, at + PIECE_BYTES);
        const start = fed;
        fed += piece.length;
        if (!ended) {
          await step((done) => zlib.write(piece, () => done()));
          yield* ready.splice(0);
          // zlib ends by itself only at zeros after a member, and leaves them unread.
          if (ended) piece = piece.subarray(zlib.bytesWritten - start);
        }
        if (ended && piece.some((byte) => byte !== 0)) {
          throw new DamagedArchive('gzip', fed, false, {
            detail: 'data follows the padding after the last member',
          });
        }
      }
    }
    if (!ended) await step(() => zlib.end());
    yield* ready.splice(0);
  } catch (error) {
    yield* ready.splice(0);
    const code = codeOf(error);
    if (code === undefined || !code.startsWith('Z_')) throw error;
    throw new DamagedArchive('gzip', zlib.bytesWritten, code === 'Z_BUF_ERROR', { cause: error });
  } finally {
    zlib.destroy();
  }
}
