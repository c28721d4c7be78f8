import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { UserError } from '@tocsin/core';
import { unzstd } from '../compression/unzstd.js';
import { DamagedArchive, gunzip } from '../compression/zlib.js';
import { checkRoots } from './check-sources.js';
import { detectEncoding, toUtf8 } from './encoding.js';
import { checkText, checkTextHead, compressionOf, MAGIC_BYTES, withoutBom } from './file-kind.js';
import { STDIN, sourceName } from './source-name.js';

const READ_BYTES = 256 * 1024;
/** Bytes inspected to detect encoding and line ends. */
const SAMPLE_BYTES = 64 * 1024;

export interface OpenSourceOptions {
  /** The stream for `-`; default `process.stdin`. */
  stdin?: Readable;
  signal?: AbortSignal;
  /** Called with the stored (compressed) size of each chunk that was read. */
  onChunk?: (bytes: number) => void;
  /** Encoding of text that is not UTF-8 and has no byte order mark. */
  encoding?: string;
  /** Files must be in one of these directories after resolving links. */
  roots?: readonly string[];
  /** Called with notices about what was guessed or skipped. */
  onNotice?: (notice: string) => void;
}

/**
 * Opens a file or stdin (`-`) as UTF-8 text: decompressed as by `openBytes`, decoded, without a leading byte order mark.
 * `head` is its beginning, `all` the whole text. CR LF is kept, because it may be part of a cell; if lines end at CR alone,
 * they are converted to LF.
 * @throws UserError for other kinds of files, `DamagedArchive`, and file system errors
 */
export async function openText(
  source: string,
  options: OpenSourceOptions = {},
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer> }> {
  const stored = await peek(openBytes(source, options), MAGIC_BYTES);
  checkText(stored.head, source);
  const detected = detectEncoding(stored.head);
  if (detected?.marked === false && options.encoding === undefined) {
    options.onNotice?.(`${sourceName(source)} is read as ${detected.name}, detected by its zero bytes.`);
  }
  // A byte order mark overrides the option, which applies to all sources.
  const marked = detected?.marked === true || withoutBom(stored.head) !== stored.head;
  const encoding = marked ? detected?.name : (options.encoding ?? detected?.name);
  const text = encoding === undefined ? stored.all : toUtf8(stored.all, encoding);
  // The writer of a pipe may wait until its first lines are processed: do not wait for a full sample.
  const enough = source === STDIN ? hasLine : SAMPLE_BYTES;
  const plain = await peek(text, enough);
  const head = withoutBom(plain.head);
  checkTextHead(head, source);
  const all = skipping(plain.all, plain.head.length - head.length);
  if (!endsWithCr(head)) return { head, all };
  options.onNotice?.(`lines of ${sourceName(source)} end at CR alone: each CR is read as a line end.`);
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

/** The bytes of a file or stdin (`-`), decompressed if they are gzip or zstd. */
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
  throw new UserError(`${sourceName(source)} is named .${named} but is not ${expected} data`, {
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

/**
 * Peeks at the first bytes of a stream: `head` has at least `enough` bytes, or satisfies `enough` (or is the whole stream);
 * `all` yields every chunk, including the head.
 */
async function peek(
  chunks: AsyncIterable<Buffer>,
  enough: number | ((head: Buffer) => boolean),
): Promise<{ head: Buffer; all: AsyncGenerator<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  const isEnough = typeof enough === 'number' ? (): boolean => head.length >= enough : enough;
  while (!isEnough(head)) {
    const next = await iterator.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head;
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  }
  return { head, all: all() };
}

const LF = 0x0a;
const CR = 0x0d;
const QUOTE = 0x22;

/** Whether lines end at CR alone (classic Mac OS), by the first line end outside double quotes. */
function endsWithCr(head: Buffer): boolean {
  let quoted = false;
  for (const [at, byte] of head.entries()) {
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && byte === LF) return false;
    else if (!quoted && byte === CR) return head[at + 1] !== LF;
  }
  return head.includes(CR) && !head.includes(LF);
}

/** Converts CR and CR LF to LF. */
async function* toLf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let afterCr = false;
  for await (const chunk of chunks) {
    const out = Buffer.allocUnsafe(chunk.length);
    let length = 0;
    for (const byte of chunk) {
      if (byte !== LF || !afterCr) out[length++] = byte === CR ? LF : byte;
      afterCr = byte === CR;
    }
    if (length > 0) yield out.subarray(0, length);
  }
}
