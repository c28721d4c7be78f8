import { constants } from 'node:buffer';
import type { Readable } from 'node:stream';
import { UserError } from '@tocsin/errors';
import { type CorpusFields, resolveFields } from './fields.js';
import { csvRecords } from './formats/csv.js';
import type { FormatOptions } from './formats/format-options.js';
import { jsonlRecords } from './formats/jsonl.js';
import { parquetRecords } from './formats/parquet.js';
import { postgresRecords } from './formats/postgres.js';
import { type InputFormat, inputFormat } from './input-format.js';
import type { ParsedRow } from './parse-row.js';
import type { CorpusRow } from './row.js';
import { SHAPE_OF, type ShapeName } from './shapes/index.js';
import { keyPrefixes, sourceLabel } from './source-name.js';
import type { Found } from './source-record.js';
import { count } from './wording.js';

const MB = 1024 * 1024;
export const DEFAULT_MAX_LINE_BYTES = 64 * MB;
/** Rows yielded at once, at most. */
const CHUNK_ROWS = 1000;

/** How the sources of a corpus are read, beyond what their names say. */
export interface CorpusReading {
  /** Names that differ from `DEFAULT_FIELDS`. */
  fields?: Partial<CorpusFields>;
  /** Of every file, instead of what its name says. */
  format?: InputFormat;
  /** What a record is. Default: a row. */
  shape?: ShapeName;
  /** Between the fields of CSV: one ASCII character. */
  delimiter?: string;
  /** Of Postgres sources. */
  query?: string;
}

export interface ReadCorpusOptions extends CorpusReading {
  /** Further fields whose values are wanted as they are: `row.kept`, of items and rejects. */
  keep?: readonly string[];
  /** A longer line (or record of CSV) is a reject, and is never held in memory. Default: 64 MiB. */
  maxLineBytes?: number;
  /** Stands for the source `-`; `process.stdin` if not given. It is destroyed after use. */
  stdin?: Readable;
  /** Ends the reading; the generator then throws the signal's reason. */
  signal?: AbortSignal;
  /** Called with the bytes consumed of all sources as stored (compressed); `findSources` gives their total. */
  onBytes?: (bytes: number) => void;
}

/**
 * Read a corpus in order and in constant memory, a few hundred rows at a time: JSONL, CSV, TSV and Parquet files, `-` for
 * stdin, gzip or zstd or not, and Postgres queries, as `findSources` gives them.
 *
 * - A row is an object with a string `text`, or with a string `prompt` and/or `response`, or with an array `messages` and
 *   perhaps `tools`; null counts as absent. An empty text is a text, and so is one with U+0000. Everything else is a
 *   reject, and the next rows go on. Other shapes make such rows of their records.
 * - The key is the row's `id` (string or number), else its line number ("17"; "name.jsonl:17" with several sources).
 *   Equal keys are allowed: each row is kept.
 *
 * Throws a `UserError` for what is wrong with a source as a whole (missing, UTF-16, damaged gzip, ...), after the rows
 * before it.
 *
 * @example
 * for await (const rows of readCorpus(['a.parquet', 'b.csv.gz'])) console.log(rows.length);
 */
export async function* readCorpus(
  sources: readonly string[],
  options: ReadCorpusOptions = {},
): AsyncGenerator<CorpusRow[], void, undefined> {
  const how = formatOptions(options);
  const prefixes = keyPrefixes(sources);
  let seq = 0;
  for (const [i, source] of sources.entries()) {
    const file = sourceLabel(source);
    const prefix = prefixes[i] ?? '';
    const format = inputFormat(source, options.format);
    const unit = format === 'parquet' || format === 'postgres' ? ({ unit: 'row' } as const) : {};
    for await (const records of recordsOf(source, format, how)) {
      let rows: CorpusRow[] = [];
      for (const found of records) {
        for (const parsed of rowsOf(found, options, how.fields)) {
          seq += 1;
          const { key = `${prefix}${found.line}`, ...row } = parsed;
          const place = { seq, key, file, line: found.line, ...unit };
          rows.push(
            'content' in row ? { kind: 'item', ...place, ...row } : { kind: 'reject', ...place, ...row },
          );
          if (rows.length === CHUNK_ROWS) {
            yield rows;
            rows = [];
          }
        }
      }
      if (rows.length > 0) yield rows;
    }
  }
}

type ResolvedFields = ReturnType<typeof resolveFields>;

function formatOptions(options: ReadCorpusOptions): FormatOptions & { fields: ResolvedFields } {
  const { keep = [], maxLineBytes = DEFAULT_MAX_LINE_BYTES, onBytes, stdin, signal } = options;
  if (!(maxLineBytes >= 1 && maxLineBytes <= constants.MAX_STRING_LENGTH)) {
    throw new UserError(`The longest line must be of 1 to ${count(constants.MAX_STRING_LENGTH)} bytes.`);
  }
  const fields = resolveFields(options.fields);
  const shape = SHAPE_OF[options.shape ?? 'rows'];
  const named = (names: (string | undefined)[]): string[] => names.filter((name) => name !== undefined);
  let bytes = 0;
  return {
    fields,
    maxLineBytes,
    columns: [...new Set([...named(shape.columns(fields)), ...keep])],
    textColumns: named(shape.textColumns(fields)),
    jsonColumns: named(shape.jsonColumns(fields)),
    idColumn: fields.id,
    expected: shape.expected(fields),
    delimiter: options.delimiter,
    query: options.query,
    stdin,
    signal,
    onChunk: (size) => {
      bytes += size;
      onBytes?.(bytes);
    },
  };
}

function recordsOf(
  source: string,
  format: ReturnType<typeof inputFormat>,
  how: FormatOptions,
): AsyncGenerator<Iterable<Found>> {
  switch (format) {
    case 'jsonl':
      return jsonlRecords(source, how);
    case 'csv':
      return csvRecords(source, how);
    case 'tsv':
      return csvRecords(source, { ...how, delimiter: how.delimiter ?? '\t' });
    case 'parquet':
      return parquetRecords(source, how);
    case 'postgres':
      return postgresRecords(source, how);
  }
}

function rowsOf(
  found: Found,
  { shape = 'rows', keep = [] }: ReadCorpusOptions,
  fields: ResolvedFields,
): ParsedRow[] {
  if (!('record' in found)) {
    const { line: _, ...rejected } = found;
    return [{ key: undefined, ...rejected }];
  }
  return SHAPE_OF[shape].rows(found.record, fields, keep);
}
