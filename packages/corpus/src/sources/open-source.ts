import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { addAbortSignal, type Readable } from 'node:stream';
import { UserError } from '@tocsin/core';
import { DamagedArchive } from '../compression/damaged-archive.js';
import { gunzip } from '../compression/gunzip.js';
import { unzstd } from '../compression/unzstd.js';
import { detectEncoding, toUtf8 } from './encoding.js';
import { checkText, checkTextHead, compressionOf, MAGIC_BYTES, withoutBom } from './file-kind.js';
import { checkRoots } from './roots.js';
import { STDIN, sourceName } from './source-name.js';

const READ_BYTES = 256 * 1024;
/** Bytes that are looked at to find out how a text is written. */
const SAMPLE_BYTES = 64 * 1024;

export interface OpenSourceOptions {
  /** Stands for `-`; `process.stdin` if not given. */
  stdin?: Readable;
  signal?: AbortSignal;
  /** Called with the size of each chunk as stored (compressed) once it is read. */
  onChunk?: (bytes: number) => void;
  /** Of the text, when it is not UTF-8 and has no byte order mark. */
  encoding?: string;
  /** Files must really lie in one of these directories, whatever links lead there. */
  roots?: readonly string[];
  /** Told what was guessed, skipped or left out: sentences for a person. */
  onNotice?: (notice: string) => void;
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

/**
 * Look at the first bytes of a stream: `head` holds at least `enough` of them, or as many as satisfy it (all, if there are fewer), and
 * `all` gives every chunk, the head's included.
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

/** Whether lines end at CR alone (classic Mac OS): the first line end outside double quotes says it. */
function endsWithCr(head: Buffer): boolean {
  let quoted = false;
  for (const [at, byte] of head.entries()) {
    if (byte === QUOTE) quoted = !quoted;
    else if (!quoted && byte === LF) return false;
    else if (!quoted && byte === CR) return head[at + 1] !== LF;
  }
  return head.includes(CR) && !head.includes(LF);
}

/** The same bytes with CR and CR LF written as LF. */
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
