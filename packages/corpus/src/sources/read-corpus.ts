import { constants } from 'node:buffer';
import { stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type InputFormat, type QuoteStyle, type ShapeName, UserError } from '@tocsin/core';
import { csvRecords } from '../formats/csv.js';
import type { FormatOptions } from '../formats/format-options.js';
import { jsonlRecords } from '../formats/jsonl.js';
import { parquetRecords } from '../formats/parquet.js';
import { postgresRecords } from '../formats/postgres.js';
import { type CorpusFields, resolveFields } from '../rows/fields.js';
import type { ParsedRow } from '../rows/parse-row.js';
import type { CorpusRow } from '../rows/row.js';
import type { Found } from '../rows/source-record.js';
import { count } from '../rows/wording.js';
import { SHAPE_OF } from '../shapes/index.js';
import { CustomIds } from '../shapes/openai-batch.js';
import { checkEncoding, EncodingGuess } from './encoding.js';
import { FirstRows } from './first-rows.js';
import { MissingWords } from './missing-words.js';
import { inputFormat, keyPrefixes, placeKey, STDIN, sourceLabel, sourceName } from './source-name.js';

const MB = 1024 * 1024;
const DEFAULT_MAX_LINE_BYTES = 64 * MB;
/** Most rows yielded at once. */
const CHUNK_ROWS = 1000;

/** How to read the sources of a corpus. */
export interface CorpusReading {
  /** Names that differ from `DEFAULT_FIELDS`. */
  fields?: Partial<CorpusFields>;
  /** Format of every file. Default: by its name. */
  format?: InputFormat;
  /** The shape of a record. Default: a row. */
  shape?: ShapeName;
  /** The CSV delimiter: one ASCII character. */
  delimiter?: string;
  /** The quoting of CSV and TSV. Default: detected. */
  quote?: QuoteStyle;
  /** Encoding of text that is not UTF-8 and has no byte order mark. */
  encoding?: string;
  /** The query for Postgres sources. */
  query?: string;
  /** Files must be in one of these directories after resolving links; checked whenever one is opened. */
  roots?: readonly string[];
}

export interface ReadCorpusOptions extends CorpusReading {
  /** Further fields to return unchanged in `row.kept`, for items and rejects. */
  keep?: readonly string[];
  /** A longer line (or CSV record) is rejected and never held in memory. Default: 64 MiB. */
  maxLineBytes?: number;
  /** The stream for the source `-`; default `process.stdin`. Destroyed after use. */
  stdin?: Readable;
  /** Aborts reading; the generator then throws the signal's reason. */
  signal?: AbortSignal;
  /** Called with the stored (compressed) bytes read so far; `findSources` returns their total. */
  onBytes?: (bytes: number) => void;
  /**
   * What the guard scores. If set, a source whose first rows are all rejects because of how it is read throws a `UserError`
   * with a hint, before any row of any file is yielded.
   */
  task?: 'content' | 'trajectory';
  /** Called with notices about what was guessed, skipped or looks doubtful. */
  onNotice?: (notice: string) => void;
}

/**
 * Reads a corpus in order and in constant memory, a few hundred rows at a time: JSONL, CSV, TSV and Parquet files, `-` for
 * stdin, optionally compressed with gzip or zstd, and Postgres queries, as resolved by `findSources`.
 *
 * - A row is an object with a string `text`, or with a string `prompt` and/or `response`, or with an array `messages` and
 *   optional `tools`; null counts as absent. Empty texts and texts with U+0000 are valid. Anything else is a reject, and
 *   reading continues. Other shapes convert their records to such rows.
 * - The key is the row's `id` (string or number), else its place ("line:17" or "row:17"; "name.jsonl:line:17" with several sources).
 *   Duplicate keys are allowed: every row is kept.
 *
 * @throws UserError for problems of a whole source (missing, damaged gzip, ...), after yielding the rows before it
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
  const position = { seq: 0 };
  const requests = options.shape === 'openai-batch' ? new CustomIds() : undefined;
  if (options.task !== undefined && sources.length > 1) {
    for (const source of sources)
      if (await canBeReadTwice(source, options)) await checkFirst(source, options);
  }
  for (const [i, source] of sources.entries()) {
    const before = position.seq;
    yield* sourceRows({ source, prefix: prefixes[i] ?? '', position, requests }, options, how);
    if (position.seq > before) continue;
    options.onNotice?.(
      `${sourceName(source)} contains no rows. If it should, check that it is complete and that its format matches its name.`,
    );
  }
}

/** Checks that the first rows of a source can be read, before rows of earlier sources are yielded. */
async function checkFirst(source: string, options: ReadCorpusOptions): Promise<void> {
  const { onNotice: _, onBytes: __, keep: ___, ...reading } = options;
  const place = { source, prefix: '', position: { seq: 0 } };
  for await (const _ of sourceRows(place, reading, formatOptions(reading))) break;
}

/** Whether the first rows of a source can be read twice and quickly. */
async function canBeReadTwice(source: string, { format }: ReadCorpusOptions): Promise<boolean> {
  const found = inputFormat(source, format);
  if (source === STDIN || found === 'parquet' || found === 'postgres') return false;
  return stat(source).then(
    (stats) => stats.isFile(),
    () => false,
  );
}

interface SourcePlace {
  source: string;
  /** Prefix of the keys of rows without an id. */
  prefix: string;
  /** The last row so far. */
  position: { seq: number };
  /** Shared by all sources, when rows are requests. */
  requests?: CustomIds;
}

/** The rows of one source; the first ones are held until they are known to be readable. */
async function* sourceRows(
  { source, prefix, position, requests }: SourcePlace,
  options: ReadCorpusOptions,
  how: FormatOptions & { fields: ResolvedFields },
): AsyncGenerator<CorpusRow[]> {
  const { fields, contentColumns } = how;
  const file = sourceLabel(source);
  const format = inputFormat(source, options.format);
  const unit: { unit?: 'row' } = format === 'parquet' || format === 'postgres' ? { unit: 'row' } : {};
  // An unreadable request gets its own error response.
  const isChecked = options.task !== undefined && options.shape !== 'openai-batch';
  const { task = 'content', quote } = options;
  const guess = new EncodingGuess();
  const rules = { source, fields, contentColumns, task, quote, guess };
  const delimiter = options.delimiter ?? (format === 'tsv' ? '\t' : undefined);
  const first = isChecked ? new FirstRows({ ...rules, delimiter }) : undefined;
  let held = first !== undefined;
  let rows: CorpusRow[] = [];
  const broken = { count: 0, first: '' };
  const missing = new MissingWords();
  const reading = {
    ...how,
    onBroken: guess.seeBroken,
    ...(first && { onColumns: first.onColumns, onHead: first.onHead }),
  };
  for await (const records of recordsOf(source, format, reading)) {
    for (const found of records) {
      const parsedRows = rowsOf(found, options, fields);
      for (const parsed of requests?.unrepeated(parsedRows) ?? parsedRows) {
        position.seq += 1;
        const inUnit = { ...unit, ...(found.unit && { unit: found.unit }) };
        const { key = placeKey(prefix, inUnit.unit ?? 'line', found.line), ...row } = parsed;
        const place = {
          seq: position.seq,
          key,
          file,
          line: found.line,
          ...inUnit,
        };
        const made: CorpusRow =
          'content' in row ? { kind: 'item', ...place, ...row } : { kind: 'reject', ...place, ...row };
        rows.push(made);
        if (made.kind === 'item') for (const part of Object.values(made.content)) guess.seeText(part);
        missing.see(made);
        if (made.kind === 'reject' && made.rejectKind === 'encoding') {
          broken.count += 1;
          broken.first ||= `${made.unit ?? 'line'} ${count(made.line)}`;
        }
        if (held) first?.see(made, 'record' in found ? found.record : undefined);
        if (held && first?.complete === true) {
          held = false;
          first.settle(how.onNotice);
        }
        if (!held && rows.length >= CHUNK_ROWS) {
          yield rows;
          rows = [];
        }
      }
    }
    if (!held && rows.length > 0) {
      yield rows;
      rows = [];
    }
  }
  if (held) first?.settle(how.onNotice);
  if (rows.length > 0) yield rows;
  const words = missing.notice;
  if (words !== undefined) how.onNotice?.(`${sourceName(source)}: ${words}`);
  if (broken.count > 0) {
    const which = broken.count === 1 ? '1 row contains' : `${count(broken.count)} rows contain`;
    how.onNotice?.(`${sourceName(source)}: ${which} invalid UTF-8 (first: ${broken.first}). ${guess.hint}`);
  }
}

type ResolvedFields = ReturnType<typeof resolveFields>;

function formatOptions(options: ReadCorpusOptions): FormatOptions & { fields: ResolvedFields } {
  const { keep = [], maxLineBytes = DEFAULT_MAX_LINE_BYTES, onBytes, stdin, signal } = options;
  if (!(maxLineBytes >= 1 && maxLineBytes <= constants.MAX_STRING_LENGTH)) {
    throw new UserError(`the maximum line length must be 1 to ${count(constants.MAX_STRING_LENGTH)} bytes`);
  }
  const fields = resolveFields(options.fields);
  const shape = SHAPE_OF[options.shape ?? 'rows'];
  if (options.encoding !== undefined) checkEncoding(options.encoding);
  const named = (names: (string | undefined)[]): string[] => names.filter((name) => name !== undefined);
  let bytes = 0;
  return {
    fields,
    maxLineBytes,
    columns: [...new Set([...named(shape.columns(fields)), ...keep])],
    contentColumns: named(shape.contentColumns(fields)),
    textColumns: named(shape.textColumns(fields)),
    jsonColumns: named(shape.jsonColumns(fields)),
    // Like the Batch API: every line is a request and gets a response.
    isJsonLines: options.shape === 'openai-batch',
    idColumn: fields.id,
    expected: shape.expected(fields),
    delimiter: options.delimiter,
    quote: options.quote,
    encoding: options.encoding,
    roots: options.roots,
    onNotice: options.onNotice,
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
      return csvRecords(source, how, '\t');
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
