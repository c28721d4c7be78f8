import { createWriteStream } from 'node:fs';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { codeOf, isUserError, messageOf, UserError } from '@tocsin/core';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { cellRecord, type Found } from '../rows/source-record.js';
import { count } from '../rows/wording.js';
import { checkRoots } from '../sources/check-sources.js';
import { compressionOf, MAGIC_BYTES } from '../sources/file-kind.js';
import { type OpenSourceOptions, openBytes } from '../sources/open-source.js';
import { readingErrors } from '../sources/source-error.js';
import { STDIN, sourceName } from '../sources/source-name.js';
import type { FormatOptions } from './format-options.js';
import { decimalText, exactDecimals, faultIn, jsonValue, PARSERS } from './parquet-cell.js';

/** Rows yielded at once. */
const CHUNK_ROWS = 1000;
const ENCRYPTED_MAGIC = 'PARE';

/**
 * The records of a Parquet file: the wanted columns, one row group in memory at a time. The "line" is the row's number in
 * the file.
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
        // Progress counts rows, because only the wanted columns are read.
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
    throw new UserError(`${sourceName(source)} is not a complete Parquet file: it does not end with PAR1`, {
      hint: 'Fetch the file again, or set its format with --input-format.',
    });
  }
  return parquetMetadataAsync(buffer, { parsers: PARSERS, geoparquet: false });
}

function encrypted(source: string): UserError {
  return new UserError(`${sourceName(source)} is encrypted`, {
    hint: 'Write the file without Parquet encryption.',
  });
}

/** The wanted columns that the file has. @throws UserError for an unsupported codec */
function wantedColumns(metadata: FileMetaData, wanted: readonly string[], source: string): string[] {
  const columns = columnNames(metadata).filter((name) => wanted.includes(name));
  for (const { columns: chunks } of metadata.row_groups) {
    for (const { meta_data: chunk, crypto_metadata: crypto } of chunks) {
      if (crypto !== undefined) throw encrypted(source);
      const [name] = chunk?.path_in_schema ?? [];
      if (chunk === undefined || name === undefined || !columns.includes(name)) continue;
      if (chunk.codec === 'UNCOMPRESSED' || chunk.codec in compressors) continue;
      throw new UserError(
        `the column ${JSON.stringify(name)} of ${sourceName(source)} cannot be read: unsupported compression ${chunk.codec}`,
        {
          hint: `Compress it with one of ${Object.keys(compressors).join(', ')}.`,
        },
      );
    }
  }
  return columns;
}

/** The names of the top-level columns. The schema is a tree in depth-first order. */
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
  // Without any wanted column, errors list the existing ones instead.
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

/** Blames any parser error that is not a file system error on the file's content. */
async function parsing<T>(source: string, where: () => string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isUserError(error) || codeOf(error) !== undefined ? error : broken(source, error, where());
  }
}

function broken(source: string, error: unknown, where: string): UserError {
  return new UserError(
    `the Parquet file ${sourceName(source)} cannot be read ${where}: ${messageOf(error)}`,
    {
      hint: 'Fetch or write the file again.',
      cause: error,
    },
  );
}

/** A file with random access. */
interface SeekableFile {
  path: string;
  /** Removes the temporary copy, if any. */
  release(): Promise<void>;
}

/**
 * The source itself if it is a plain file; otherwise (stdin, a pipe, compressed) a copy in the temporary directory
 * (TMPDIR), because formats with an index at the end need random access.
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
