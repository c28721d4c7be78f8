import { createReadStream } from 'node:fs';
import { addAbortSignal, type Readable } from 'node:stream';
import { UserError } from '@tocsin/errors';
import { MAGIC_BYTES, skipBom, startsAsGzip } from './file-kind.js';
import { DamagedGzip, gunzip } from './gunzip.js';
import { peek } from './peek.js';
import { STDIN, sourceName } from './source-name.js';

const READ_BYTES = 256 * 1024;

export interface OpenSourceOptions {
  /** Stands for `-`; `process.stdin` if not given. */
  stdin?: Readable | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the size of each chunk as stored (compressed) once it is read. */
  onChunk?: (bytes: number) => void;
}

/**
 * The UTF-8 bytes of a file or of stdin (`-`): decompressed if they start as gzip, without a byte order mark.
 * Throws a `UserError` for other kinds of file, `DamagedGzip`, and errors of the file system as they come.
 */
export async function* openSource(source: string, options: OpenSourceOptions = {}): AsyncGenerator<Buffer> {
  const stream =
    source === STDIN
      ? (options.stdin ?? process.stdin)
      : createReadStream(source, { highWaterMark: READ_BYTES });
  if (options.signal !== undefined) addAbortSignal(options.signal, stream);
  try {
    const stored = await peek(chunksOf(stream, options.onChunk), MAGIC_BYTES);
    const plain = await peek(decompressed(source, stored.head, stored.all), MAGIC_BYTES);
    let skip = skipBom(plain.head, source);
    for await (const chunk of plain.all) {
      yield skip === 0 ? chunk : chunk.subarray(skip);
      skip = 0;
    }
  } finally {
    stream.destroy();
  }
}

function decompressed(source: string, head: Buffer, all: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  if (startsAsGzip(head)) return gunzip(all);
  if (!/\.gz$/i.test(source)) return all;
  if (head.length <= 1) throw new DamagedGzip(head.length, true, { detail: 'there is no gzip header' });
  throw new UserError(`${sourceName(source)} is named .gz but holds no gzip data.`, {
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
