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
import { count } from '../rows/wording.js';
import { SHAPE_OF } from '../shapes/index.js';
import { CustomIds } from '../shapes/openai-batch.js';
import { checkEncoding, EncodingGuess } from './encoding.js';
import { FirstRows } from './first-rows.js';
import { inputFormat } from './input-format.js';
import { keyPrefixes, placeKey, STDIN, sourceLabel, sourceName } from './source-name.js';
import type { Found } from './source-record.js';

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
  /** What a double quote is in CSV and TSV. Default: what it looks like. */
  quote?: QuoteStyle;
  /** Of text that is not UTF-8 and has no byte order mark. */
  encoding?: string;
  /** Of Postgres sources. */
  query?: string;
  /** Files must lie in one of these directories, links followed: looked at whenever one is opened. */
  roots?: readonly string[];
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
  /**
   * What the guard scores. When it is given, a source whose first rows are all rejects for one reason that lies in how it is
   * read is a `UserError` with the remedy, before any row of any file.
   */
  task?: 'content' | 'trajectory';
  /** Told what was guessed, skipped or is doubtful, in sentences for a person. */
  onNotice?: (notice: string) => void;
}

/**
 * Read a corpus in order and in constant memory, a few hundred rows at a time: JSONL, CSV, TSV and Parquet files, `-` for
 * stdin, gzip or zstd or not, and Postgres queries, as `findSources` gives them.
 *
 * - A row is an object with a string `text`, or with a string `prompt` and/or `response`, or with an array `messages` and
 *   perhaps `tools`; null counts as absent. An empty text is a text, and so is one with U+0000. Everything else is a
 *   reject, and the next rows go on. Other shapes make such rows of their records.
 * - The key is the row's `id` (string or number), else its place ("line:17" or "row:17"; "name.jsonl:line:17" with several sources).
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
      `${sourceName(source)} holds no rows. If it should, see whether it is whole, and of the format that its name says.`,
    );
  }
}

/** That the first rows of a source can be read, before those of the sources before it are handed on. */
async function checkFirst(source: string, options: ReadCorpusOptions): Promise<void> {
  const { onNotice: _, onBytes: __, keep: ___, ...reading } = options;
  const place = { source, prefix: '', position: { seq: 0 } };
  for await (const _ of sourceRows(place, reading, formatOptions(reading))) break;
}

/** Whether reading the first rows of a source takes nothing from it, and little time. */
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
  /** Of keys of rows without an id. */
  prefix: string;
  /** The last row so far. */
  position: { seq: number };
  /** Of all sources, where rows are requests. */
  requests?: CustomIds;
}

/** The rows of one source; the first ones are held back until it is clear that they can be read. */
async function* sourceRows(
  { source, prefix, position, requests }: SourcePlace,
  options: ReadCorpusOptions,
  how: FormatOptions & { fields: ResolvedFields },
): AsyncGenerator<CorpusRow[]> {
  const { fields, contentColumns } = how;
  const file = sourceLabel(source);
  const format = inputFormat(source, options.format);
  const unit: { unit?: 'row' } = format === 'parquet' || format === 'postgres' ? { unit: 'row' } : {};
  // A request that cannot be read has an answer of its own.
  const isChecked = options.task !== undefined && options.shape !== 'openai-batch';
  const { task = 'content', quote } = options;
  const guess = new EncodingGuess();
  const rules = { source, fields, contentColumns, task, quote, guess };
  const delimiter = options.delimiter ?? (format === 'tsv' ? '\t' : undefined);
  const first = isChecked ? new FirstRows({ ...rules, delimiter }) : undefined;
  let held = first !== undefined;
  let rows: CorpusRow[] = [];
  const broken = { count: 0, first: '' };
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
  if (broken.count > 0) {
    const which = broken.count === 1 ? '1 row holds' : `${count(broken.count)} rows hold`;
    how.onNotice?.(
      `${sourceName(source)}: ${which} bytes that fit no character (first: ${broken.first}). ${guess.hint}`,
    );
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
    // As the Batch API reads them: every line is a request, and has an answer.
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
