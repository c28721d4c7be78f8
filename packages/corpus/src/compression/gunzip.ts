import { createGunzip } from 'node:zlib';
import { codeOf } from '@tocsin/core';
import { DamagedArchive } from './damaged-archive.js';
import { ZlibFeed } from './zlib-feed.js';

const KB = 1024;
/** Compressed bytes handed to zlib at once: one piece grows to at most 1,032 times its size. */
const PIECE_BYTES = 16 * KB;
const OUTPUT_BYTES = 64 * KB;

/**
 * Decompress a stream of gzip members. What came before the damage is yielded first: all of it when the stream is
 * truncated, all but the output of the last 16 KB when it is corrupt. Zeros after the last member (padding) are skipped.
 * Deflate has no check of its own, so damage may lie before the byte at which it was noticed, and only the checksum at a
 * member's end is sure to notice it.
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
          // zlib ends by itself only at zeros after a member, and leaves them unread.
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
