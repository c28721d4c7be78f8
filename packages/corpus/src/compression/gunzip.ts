import { createGunzip } from 'node:zlib';
import { codeOf } from '@tocsin/core';
import { DamagedArchive } from './damaged-archive.js';
import { ZlibFeed } from './zlib-feed.js';

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
