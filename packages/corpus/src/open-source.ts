import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { UserError } from '@tocsin/errors';
import { DamagedArchive } from './damaged-archive.js';
import { compressionOf, MAGIC_BYTES, skipBom } from './file-kind.js';
import { gunzip } from './gunzip.js';
import { peek } from './peek.js';
import { STDIN, sourceName } from './source-name.js';
import { unzstd } from './unzstd.js';

const READ_BYTES = 256 * 1024;

export interface OpenSourceOptions {
  /** Stands for `-`; `process.stdin` if not given. */
  stdin?: Readable | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the size of each chunk as stored (compressed) once it is read. */
  onChunk?: (bytes: number) => void;
}

/**
 * The UTF-8 bytes of a file or of stdin (`-`): decompressed as `openBytes` does, without a byte order mark.
 * Throws a `UserError` for other kinds of file, `DamagedArchive`, and errors of the file system as they come.
 */
export async function* openSource(source: string, options: OpenSourceOptions = {}): AsyncGenerator<Buffer> {
  const plain = await peek(openBytes(source, options), MAGIC_BYTES);
  let skip = skipBom(plain.head, source);
  for await (const chunk of plain.all) {
    yield skip === 0 ? chunk : chunk.subarray(skip);
    skip = 0;
  }
}

/** The bytes of a file or of stdin (`-`): decompressed if they start as gzip or zstd do. */
export async function* openBytes(source: string, options: OpenSourceOptions = {}): AsyncGenerator<Buffer> {
  const stream =
    source === STDIN
      ? (options.stdin ?? process.stdin)
      : createReadStream(source, { highWaterMark: READ_BYTES });
  if (options.signal !== undefined) addAbortSignal(options.signal, stream);
  try {
    const stored = await peek(chunksOf(stream, options.onChunk), MAGIC_BYTES);
    yield* decompressed(source, stored.head, stored.all);
  } finally {
    stream.destroy();
  }
}

function decompressed(source: string, head: Buffer, all: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  const compression = compressionOf(head);
  if (compression === 'gzip') return gunzip(all);
  if (compression === 'zstd') return unzstd(all, source);
  const named = /\.(gz|zst)$/i.exec(source)?.[1]?.toLowerCase();
  if (named === undefined) return all;
  const expected = named === 'gz' ? 'gzip' : 'zstd';
  if (head.length <= 1)
    throw new DamagedArchive(expected, head.length, true, { detail: `there is no ${expected} header` });
  throw new UserError(`${sourceName(source)} is named .${named} but holds no ${expected} data.`, {
    hint: 'Rename it if it is plain text, or fetch it again.',
  });
}

async function* chunksOf(
  stream: Readable,
  onChunk: ((bytes: number) => void) | undefined,
): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer | string>) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
    onChunk?.(bytes.length);
    yield bytes;
  }
}
