import { UserError } from '@tocsin/core';
import { parse } from 'csv-parse/sync';
import { cellRecord } from '../rows/cell-record.js';
import { matchedNames } from '../rows/column-names.js';
import { firstInvalidUtf8 } from '../rows/invalid-utf8.js';
import { printable } from '../rows/parse-row.js';
import { type Rejection, rejection } from '../rows/reject.js';
import { count } from '../rows/wording.js';
import { ENCODING_HINT } from '../sources/encoding.js';
import { withoutBom } from '../sources/file-kind.js';
import { isBlank } from '../sources/line-splitter.js';
import { openText } from '../sources/open-source.js';
import { sourceName } from '../sources/source-name.js';
import type { Found } from '../sources/source-record.js';
import { tableDelimiter } from '../sources/text-remedy.js';
import {
  type CsvDialect,
  csvDialect,
  isUnquoted,
  linesOf,
  recordsWithin,
  swallowsRecords,
} from './csv-dialect.js';
import { type CsvRecord, CsvSplitter, SINGLE_QUOTE } from './csv-splitter.js';
import { CsvTally } from './csv-tally.js';
import type { FormatOptions } from './format-options.js';
import { tooLong } from './jsonl.js';
import { readingErrors } from './reading-errors.js';

/** Records handed to the parser at once, at most. */
const PARSED_RECORDS = 500;

/** A cell: its text; null when it is empty and not quoted, as Postgres has it. */
type Cell = string | null;

/**
 * The records of a CSV or TSV file (RFC 4180). The first one names the fields. An empty cell is absent, a quoted empty one
 * is an empty text. A line that repeats the header is skipped: files were joined.
 */
export async function* csvRecords(
  source: string,
  options: FormatOptions,
  separator = ',',
): AsyncGenerator<Iterable<Found>> {
  let splitter: CsvSplitter | undefined;
  const where = (): string => `before line ${count(splitter?.line ?? 1)}`;
  const errors = readingErrors(source, where, options.signal);
  const tally = new CsvTally();
  try {
    const { head, all } = await openText(source, options);
    options.onHead?.(head);
    const table = new CsvTable(source, csvDialect(head, options, separator), options, tally);
    splitter = table.splitter;
    for await (const chunk of all) {
      options.signal?.throwIfAborted();
      yield table.found(splitter.push(chunk));
    }
    yield table.found(splitter.end());
  } catch (error) {
    throw errors(error);
  } finally {
    for (const notice of tally.notices(source)) options.onNotice?.(notice);
  }
}

/** A table that is read: its dialect, and its header once that has come. */
class CsvTable {
  readonly splitter: CsvSplitter;
  readonly #source: string;
  readonly #dialect: CsvDialect;
  readonly #options: FormatOptions;
  readonly #tally: CsvTally;
  #sepLine: boolean;
  #header: { names: readonly string[]; written: readonly string[] } | undefined;

  constructor(source: string, dialect: CsvDialect, options: FormatOptions, tally: CsvTally) {
    this.#source = source;
    this.#dialect = dialect;
    this.#options = options;
    this.#tally = tally;
    this.#sepLine = dialect.sepLine;
    this.splitter = new CsvSplitter(dialect.delimiter.charCodeAt(0), options.maxLineBytes);
    this.splitter.quoting = dialect.quoting;
    this.splitter.escaping = dialect.escaping;
    if (dialect.single) this.splitter.quote = SINGLE_QUOTE;
    this.splitter.impatient = dialect.guessed;
    if (dialect.escaping && options.quote === undefined) {
      options.onNotice?.(
        `${sourceName(source)}: quotes within quotes are read as escaped by backslashes, as they cannot be read otherwise. Say --quote backslash to have it so from the start, or --quote double.`,
      );
    }
    if (dialect.guessed && !dialect.quoting) this.#saysUnquoted('');
  }

  *found(records: Iterable<CsvRecord>): Generator<Found> {
    for (const batch of batchesOf(this.#settled(records))) yield* this.#parsed(batch);
  }

  /** The records after the header. In TSV, a quote that cannot be one is a character from there on. */
  *#settled(records: Iterable<CsvRecord>): Generator<CsvRecord> {
    for (const found of records) {
      const record = unmarked(found);
      if (record.bytes !== undefined && isBlank(record.bytes)) continue;
      if (this.#sepLine) {
        this.#sepLine = false;
      } else if (this.#header === undefined) {
        this.#readHeader(record);
      } else if (this.#dialect.guessed && isUnquoted(record, this.splitter.fields)) {
        this.splitter.quoting = false;
        this.#saysUnquoted(` from line ${count(record.line)} on`);
        for (const line of linesOf(record)) if (!isBlank(line.bytes ?? Buffer.alloc(0))) yield line;
      } else if (this.#options.quote === undefined && swallowsRecords(record, this.splitter.fields)) {
        for (const one of recordsWithin(record, this.splitter.fields, this.#dialect)) {
          if (!one.quoting) this.#tally.note('unclosed', one.line);
          if (!isBlank(one.bytes ?? Buffer.alloc(0))) yield one;
        }
      } else {
        yield record;
      }
    }
  }

  #saysUnquoted(where: string): void {
    this.#options.onNotice?.(
      `${sourceName(this.#source)}: double quotes are read as plain characters${where}, as they do not enclose fields. Say --quote none to have it so from the start, or --quote double.`,
    );
  }

  #readHeader(record: CsvRecord): void {
    const written = headerOf(record, this.#source, this.#dialect, this.#options);
    const names = matchedNames(written, this.#source, this.#options);
    this.#header = { names, written };
    this.splitter.fields = names.length;
    this.#options.onColumns?.(names);
  }

  *#parsed(batch: readonly CsvRecord[]): Generator<Found> {
    const { names = [], written = [] } = this.#header ?? {};
    const faults = batch.map((record) => faultOf(record, this.#options.maxLineBytes));
    const sound = batch.filter((_, i) => faults[i] === undefined);
    const rows = cellsOf(sound, this.#dialect).values();
    for (const [i, record] of batch.entries()) {
      const { line } = record;
      const fault = faults[i];
      if (fault !== undefined) {
        if (fault.rejectKind === 'encoding') this.#options.onBroken?.(record.bytes ?? LF);
        yield { line, ...fault };
        continue;
      }
      const cells = withoutNulls(rows.next().value ?? [], () => this.#tally.note('nulls', line));
      if (record.lines > 1 && record.shaped && names.length > 1) this.#tally.note('spans', line);
      if (cells.length > names.length && cells.slice(names.length).every((cell) => cell === null)) {
        this.#tally.note('trailing', line);
        cells.length = names.length;
      }
      if (repeatsHeader(cells, written, line, this.#source)) {
        this.#tally.note('repeated', line);
      } else if (cells.length === names.length) {
        const byName = Object.fromEntries(names.map((name, at) => [name, cells[at]]));
        yield { line, record: cellRecord(byName, this.#options) };
      } else {
        yield { line, ...wrongCount(cells.length, names.length) };
      }
    }
  }
}

/**
 * Whether a record is the header once more. Throws a `UserError` when it names the same columns in another order, as what
 * follows would get the wrong names.
 */
function repeatsHeader(
  cells: readonly Cell[],
  header: readonly string[],
  line: number,
  source: string,
): boolean {
  if (cells.length !== header.length) return false;
  if (header.every((name, i) => (cells[i] ?? '') === name)) return true;
  // Names are short: the first cell is nearly always enough to see that it is no header.
  if (header.length < 2 || !header.includes(cells[0] ?? '')) return false;
  const sorted = cells.map((cell) => cell ?? '').sort();
  if (![...header].sort().every((name, i) => name === sorted[i])) return false;
  throw new UserError(
    `Line ${count(line)} of ${sourceName(source)} is a header with the columns in another order.`,
    { hint: 'Name the files that were joined one by one, or join them with their columns in one order.' },
  );
}

/** A record without the byte order mark that files begin with which were joined. */
function unmarked(record: CsvRecord): CsvRecord {
  const bytes = record.bytes && withoutBom(record.bytes);
  return bytes === undefined || bytes === record.bytes ? record : { ...record, bytes, length: bytes.length };
}

/** How COPY and MySQL write that there is no value. */
const NULL = '\\N';

function withoutNulls(cells: Cell[], onNull: () => void): Cell[] {
  if (!cells.includes(NULL)) return cells;
  onNull();
  return cells.map((cell) => (cell === NULL ? null : cell));
}

function* batchesOf(records: Iterable<CsvRecord>): Generator<CsvRecord[]> {
  let batch: CsvRecord[] = [];
  for (const record of records) {
    batch.push(record);
    if (batch.length < PARSED_RECORDS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** Why a record's cells cannot be read. */
function faultOf({ bytes, length, fault, lines }: CsvRecord, limit: number): Rejection | undefined {
  if (bytes === undefined) return tooLong('record', length, limit);
  if (fault !== undefined) {
    const span = lines > 1 ? ` It takes up ${count(lines)} lines.` : '';
    return rejection('csv', `The quotes of the record cannot be read: ${fault}.${span}`);
  }
  const at = firstInvalidUtf8(bytes);
  return at === undefined
    ? undefined
    : rejection('encoding', `The record is not UTF-8: byte ${count(at + 1)} of it fits no character.`);
}

const LF = Buffer.from('\n');

/** The cells of whole records with sound quotes. */
function cellsOf(records: readonly CsvRecord[], dialect: CsvDialect): Cell[][] {
  const quoted = parsedCells(
    records.filter(({ quoting }) => quoting),
    dialect,
  ).values();
  return records.map(({ quoting, bytes = LF }) =>
    quoting
      ? (quoted.next().value ?? [])
      : bytes
          .toString('utf8')
          .split(dialect.delimiter)
          .map((cell) => (cell === '' ? null : cell)),
  );
}

function parsedCells(records: readonly CsvRecord[], { delimiter, escaping, single }: CsvDialect): Cell[][] {
  if (records.length === 0) return [];
  // Asking of each cell whether it was quoted costs half of the speed.
  const askQuotes = records.some(({ emptyQuotes }) => emptyQuotes);
  const rows = parse(Buffer.concat(records.flatMap(({ bytes = LF }) => [bytes, LF])), {
    delimiter,
    record_delimiter: '\n',
    ...(single && { quote: "'", escape: "'" }),
    ...(escaping && { escape: '\\' }),
    relax_column_count: true,
    // A quote within a field that does not begin with one is a character: 5" disk.
    relax_quotes: true,
    ...(askQuotes && { cast: (text, { quoting }) => (text === '' && !quoting ? null : text) }),
  }) as Cell[][];
  if (rows.length !== records.length) {
    throw new Error(`${records.length} records of CSV were read as ${rows.length}`);
  }
  return askQuotes ? rows : rows.map((cells) => cells.map((cell) => (cell === '' ? null : cell)));
}

function headerOf(
  record: CsvRecord,
  source: string,
  dialect: CsvDialect,
  { maxLineBytes, columns }: FormatOptions,
): string[] {
  const refuse = (
    why: string,
    hint = 'The first line of CSV names the fields, each that is read once.',
  ): UserError =>
    new UserError(`The header of ${sourceName(source)} (line ${record.line}) cannot be used: ${why}`, {
      hint,
    });
  if (/^\s*(\[\s*)?\{\s*"/.test(record.bytes?.toString('latin1', 0, 100) ?? '')) {
    throw new UserError(`${sourceName(source)} holds JSON; a table was expected.`, {
      hint: 'Say so: --input-format jsonl.',
    });
  }
  const fault = faultOf(record, maxLineBytes);
  if (fault?.rejectKind === 'encoding') throw refuse(fault.reason, ENCODING_HINT);
  if (fault !== undefined) {
    const other = tableDelimiter(record.bytes?.toString('utf8') ?? '', columns);
    throw refuse(
      fault.reason,
      other === undefined || other === dialect.delimiter
        ? undefined
        : `Its header looks like one with another delimiter: give --delimiter ${other === '\t' ? 'tab' : `'${other}'`}.`,
    );
  }
  const names = (cellsOf([record], dialect)[0] ?? []).map((name) => name ?? '');
  const twice = names.find((name, i) => columns.includes(name) && names.indexOf(name) !== i);
  if (twice !== undefined)
    throw refuse(
      `It names ${printable(twice)} twice.`,
      'Give one of them another name in the first line, or read another column: --text-field NAME, --id-field NAME.',
    );
  return names;
}

function wrongCount(found: number, expected: number): Rejection {
  const fields = found === 1 ? '1 field' : `${count(found)} fields`;
  return rejection('csv', `The record has ${fields}, and the header ${count(expected)}.`);
}
