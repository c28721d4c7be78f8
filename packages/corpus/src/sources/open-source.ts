import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { UserError } from '@tocsin/core';
import { DamagedArchive } from '../compression/damaged-archive.js';
import { gunzip } from '../compression/gunzip.js';
import { unzstd } from '../compression/unzstd.js';
import { detectEncoding, toUtf8 } from './encoding.js';
import { checkText, checkTextHead, compressionOf, MAGIC_BYTES, withoutBom } from './file-kind.js';
import { endsWithCr, toLf } from './line-ends.js';
import { peek } from './peek.js';
import { checkRoots } from './roots.js';
import { STDIN, sourceName } from './source-name.js';

const READ_BYTES = 256 * 1024;
/** Bytes that are looked at to find out how a text is written. */
const SAMPLE_BYTES = 64 * 1024;

export interface OpenSourceOptions {
  /** Stands for `-`; `process.stdin` if not given. */
  stdin?: Readable | undefined;
  signal?: AbortSignal | undefined;
  /** Called with the size of each chunk as stored (compressed) once it is read. */
  onChunk?: (bytes: number) => void;
  /** Of the text, when it is not UTF-8 and has no byte order mark. */
  encoding?: string | undefined;
  /** Files must really lie in one of these directories, whatever links lead there. */
  roots?: readonly string[] | undefined;
  /** Told what was guessed, skipped or left out: sentences for a person. */
  onNotice?: ((notice: string) => void) | undefined;
}

/**
 * A file or stdin (`-`) as UTF-8 text whose lines end at LF: decompressed as `openBytes` does, decoded, without a byte order
 * mark at the start. `head` is its beginning, `all` the whole of it. CR LF stays as it is, as it may stand in a cell;
 * where lines end at CR alone, all ends are LF.
 * Throws a `UserError` for other kinds of file, `DamagedArchive`, and errors of the file system as they come.
 */
export async function openText(
  source: string,
  options: OpenSourceOptions = {},
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer> }> {
  const stored = await peek(openBytes(source, options), MAGIC_BYTES);
  checkText(stored.head, source);
  const detected = detectEncoding(stored.head);
  if (detected?.marked === false && options.encoding === undefined) {
    options.onNotice?.(`${sourceName(source)} is read as ${detected.name}, by its zero bytes.`);
  }
  // A byte order mark says more than an option: one option is for all sources.
  const marked = detected?.marked === true || withoutBom(stored.head) !== stored.head;
  const encoding = marked ? detected?.name : (options.encoding ?? detected?.name);
  const text = encoding === undefined ? stored.all : toUtf8(stored.all, encoding);
  // Who writes into a pipe may wait for what becomes of the first lines.
  const enough = source === STDIN ? hasLine : SAMPLE_BYTES;
  const plain = await peek(text, enough);
  const head = withoutBom(plain.head);
  checkTextHead(head, source);
  const all = skipping(plain.all, plain.head.length - head.length);
  if (!endsWithCr(head)) return { head, all };
  options.onNotice?.(`The lines of ${sourceName(source)} end at CR alone: each CR is read as a line end.`);
  return peek(toLf(all), enough);
}

const hasLine = (head: Buffer): boolean =>
  head.length >= SAMPLE_BYTES || head.includes('\n') || head.includes('\r');

async function* skipping(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let left = bytes;
  for await (const chunk of chunks) {
    yield left === 0 ? chunk : chunk.subarray(left);
    left = 0;
  }
}

/** The bytes of a file or of stdin (`-`): decompressed if they start as gzip or zstd do. */
export async function* openBytes(source: string, options: OpenSourceOptions = {}): AsyncGenerator<Buffer> {
  const stream = source === STDIN ? (options.stdin ?? process.stdin) : await openFile(source, options.roots);
  if (options.signal !== undefined) addAbortSignal(options.signal, stream);
  try {
    const stored = await peek(chunksOf(stream, options.onChunk), MAGIC_BYTES);
    yield* decompressed(source, stored.head, stored.all);
  } finally {
    stream.destroy();
  }
}

async function openFile(path: string, roots: readonly string[] | undefined): Promise<Readable> {
  if (roots === undefined) return createReadStream(path, { highWaterMark: READ_BYTES });
  const file = await open(path);
  try {
    await checkRoots(path, file, roots);
    return file.createReadStream({ highWaterMark: READ_BYTES });
  } catch (error) {
    await file.close();
    throw error;
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
