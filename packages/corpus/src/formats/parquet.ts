import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf, isUserError, messageOf, UserError } from '@tocsin/core';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { cellRecord } from '../rows/cell-record.js';
import { count } from '../rows/wording.js';
import { compressionOf, MAGIC_BYTES } from '../sources/file-kind.js';
import { type OpenSourceOptions, openBytes } from '../sources/open-source.js';
import { checkRoots } from '../sources/roots.js';
import { readingErrors } from '../sources/source-error.js';
import { STDIN, sourceName } from '../sources/source-name.js';
import type { Found } from '../sources/source-record.js';
import type { FormatOptions } from './format-options.js';
import { decimalText, exactDecimals, faultIn, jsonValue, PARSERS } from './parquet-cell.js';

/** Rows handed on at once. */
const CHUNK_ROWS = 1000;
const ENCRYPTED_MAGIC = 'PARE';

/**
 * The records of a Parquet file: the columns that are wanted, row group by row group. One row group of them is in memory at
 * a time. The "line" is the row's number in the file.
 */
export async function* parquetRecords(
  source: string,
  options: FormatOptions,
): AsyncGenerator<Iterable<Found>> {
  let read = 0;
  const where = (): string => `after row ${count(read)}`;
  const errors = readingErrors(source, where, options.signal);
  const stored = options.onChunk;
  try {
    const file = await seekable(source, options);
    const copied = file.path !== source;
    let handle: FileHandle | undefined;
    try {
      handle = await open(file.path);
      if (!copied && options.roots !== undefined) await checkRoots(file.path, handle, options.roots);
      const buffer = await bufferOf(handle);
      const metadata = await parsing(source, where, () => metadataOf(buffer, source));
      const decimals = exactDecimals(metadata);
      const columns = wantedColumns(metadata, options.columns, source);
      const groups = metadata.row_groups.map((group) => Number(group.num_rows));
      for (const rows of groups) {
        options.signal?.throwIfAborted();
        const range = { metadata, columns, from: read, to: read + rows };
        const records = await parsing(source, where, () => readRows(buffer, range));
        for (let at = 0; at < records.length; at += CHUNK_ROWS) {
          yield found(records.slice(at, at + CHUNK_ROWS), read + at + 1, { metadata, decimals }, options);
        }
        read += rows;
        // Only the wanted columns are read: progress goes by rows.
        if (!copied)
          stored?.(Math.floor((buffer.byteLength * rows) / Math.max(1, Number(metadata.num_rows))));
      }
    } finally {
      await handle?.close();
      await file.release();
    }
  } catch (error) {
    throw errors(error);
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat();
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
      if (bytesRead < bytes.length) throw new Error(`the file ends before byte ${count(end)}`);
      return bytes.buffer;
    },
  };
}

async function metadataOf(buffer: AsyncBuffer, source: string): Promise<FileMetaData> {
  const magic = Buffer.from(await buffer.slice(Math.max(0, buffer.byteLength - 4), buffer.byteLength));
  if (magic.toString('latin1') === ENCRYPTED_MAGIC) throw encrypted(source);
  if (magic.toString('latin1') !== 'PAR1') {
    throw new UserError(`${sourceName(source)} is no whole Parquet file: it does not end in PAR1.`, {
      hint: 'Fetch the file again, or give its format with --input-format.',
    });
  }
  return parquetMetadataAsync(buffer, { parsers: PARSERS, geoparquet: false });
}

function encrypted(source: string): UserError {
  return new UserError(`${sourceName(source)} is encrypted.`, {
    hint: 'Write it without Parquet encryption.',
  });
}

/** Those of the wanted columns that the file has; each in a codec that can be read. */
function wantedColumns(metadata: FileMetaData, wanted: readonly string[], source: string): string[] {
  const columns = columnNames(metadata).filter((name) => wanted.includes(name));
  for (const { columns: chunks } of metadata.row_groups) {
    for (const { meta_data: chunk, crypto_metadata: crypto } of chunks) {
      if (crypto !== undefined) throw encrypted(source);
      const [name] = chunk?.path_in_schema ?? [];
      if (chunk === undefined || name === undefined || !columns.includes(name)) continue;
      if (chunk.codec === 'UNCOMPRESSED' || chunk.codec in compressors) continue;
      throw new UserError(
        `The column ${JSON.stringify(name)} of ${sourceName(source)} is compressed as ${chunk.codec}.`,
        {
          hint: `Write it as one of ${Object.keys(compressors).join(', ')}.`,
        },
      );
    }
  }
  return columns;
}

/** The names of the top-level columns: the root of the schema is followed by its children, each by its own. */
function columnNames({ schema }: FileMetaData): string[] {
  const names: string[] = [];
  let at = 1;
  const skip = (): void => {
    const children = schema[at]?.num_children ?? 0;
    at += 1;
    for (let i = 0; i < children; i += 1) skip();
  };
  while (at < schema.length) {
    names.push(schema[at]?.name ?? '');
    skip();
  }
  return names;
}

async function readRows(
  file: AsyncBuffer,
  { metadata, columns, from, to }: { metadata: FileMetaData; columns: string[]; from: number; to: number },
): Promise<Record<string, unknown>[]> {
  if (columns.length === 0) return Array.from({ length: to - from }, () => ({}));
  return parquetReadObjects({
    file,
    metadata,
    columns,
    rowStart: from,
    rowEnd: to,
    compressors,
    parsers: PARSERS,
    geoparquet: false,
  });
}

function* found(
  rows: Record<string, unknown>[],
  first: number,
  { metadata, decimals }: { metadata: FileMetaData; decimals: ReadonlyMap<string, number> },
  options: FormatOptions,
): Generator<Found> {
  // Rows that lack what is wanted are told what there is instead.
  const others = columnNames(metadata).filter((name) => !options.columns.includes(name));
  for (const [i, row] of rows.entries()) {
    const cells: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(row)) {
      const scale = decimals.get(name);
      cells[name] = scale === undefined ? (faultIn(value) ?? jsonValue(value)) : decimalText(value, scale);
    }
    for (const name of others) cells[name] ??= undefined;
    yield { line: first + i, record: cellRecord(cells, options) };
  }
}

/** Whatever fails while the parser is at work, and is no error of the file system, is for what the file holds. */
async function parsing<T>(source: string, where: () => string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUserError(error) || codeOf(error) !== undefined ? error : broken(source, error, where());
  }
}

function broken(source: string, error: unknown, where: string): UserError {
  return new UserError(
    `The Parquet file ${sourceName(source)} cannot be read ${where}: ${messageOf(error)}.`,
    {
      hint: 'Fetch the file again, or write it anew.',
      cause: error,
    },
  );
}

/** A file that can be read at any place. */
interface SeekableFile {
  path: string;
  /** Call when it is read: a copy is removed. */
  release(): Promise<void>;
}

/**
 * The source itself when it is a plain file; else (stdin, a pipe, compressed) a copy of its bytes in the system's
 * temporary directory (TMPDIR), as formats with an index at their end must be read in any order.
 */
async function seekable(source: string, options: OpenSourceOptions): Promise<SeekableFile> {
  if (source !== STDIN && (await isPlainFile(source, options.roots)))
    return { path: source, release: async () => {} };
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-spool-'));
  const release = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    const path = join(dir, 'copy');
    await pipeline(openBytes(source, options), createWriteStream(path, { mode: 0o600 }));
    return { path, release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function isPlainFile(path: string, roots: readonly string[] | undefined): Promise<boolean> {
  const file = await open(path);
  try {
    if (roots !== undefined) await checkRoots(path, file, roots);
    if (!(await file.stat()).isFile()) return false;
    const head = Buffer.alloc(MAGIC_BYTES);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return compressionOf(head.subarray(0, bytesRead)) === undefined && !/\.(gz|zst)$/i.test(path);
  } finally {
    await file.close();
  }
}
