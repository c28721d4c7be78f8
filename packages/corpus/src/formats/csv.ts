import { type Rejection, rejection } from '../rows/row.js';
import { cellRecord, type Found } from '../rows/source-record.js';
import { count } from '../rows/wording.js';
import { withoutBom } from '../sources/file-kind.js';
import { isBlank } from '../sources/line-splitter.js';
import { openText } from '../sources/open-source.js';
import { readingErrors } from '../sources/source-error.js';
import { sourceName } from '../sources/source-name.js';
import { cellsOf, faultOf, LF, withoutNulls } from './csv-cells.js';
import {
  type CsvDialect,
  csvDialect,
  isUnquoted,
  linesOf,
  recordsWithin,
  swallowsRecords,
} from './csv-dialect.js';
import { headerOf, matchedNames, repeatsHeader } from './csv-header.js';
import { type CsvRecord, CsvSplitter, SINGLE_QUOTE } from './csv-splitter.js';
import type { FormatOptions } from './format-options.js';

/** Most records passed to the parser at once. */
const PARSED_RECORDS = 500;

/**
 * The records of a CSV or TSV file (RFC 4180). The first one names the fields. An empty cell is null, a quoted empty one
 * is an empty text. Repeated headers, as in concatenated files, are skipped.
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

/** State of reading a table: its dialect, and its header once known. */
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
        `${sourceName(source)}: quotes within quotes are read as backslash escapes, because they are not doubled. Use --quote backslash to do so from the start, or --quote double.`,
      );
    }
    if (dialect.guessed && !dialect.quoting) this.#saysUnquoted('');
  }

  *found(records: Iterable<CsvRecord>): Generator<Found> {
    for (const batch of batchesOf(this.#settled(records))) yield* this.#parsed(batch);
  }

  /** The records after the header. In TSV, quotes become plain characters at the first invalid one. */
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
      `${sourceName(this.#source)}: double quotes are read as plain characters${where}, because they do not enclose fields. Use --quote none to do so from the start, or --quote double.`,
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

/** A record without the byte order mark that a concatenated file starts with. */
function unmarked(record: CsvRecord): CsvRecord {
  const bytes = record.bytes && withoutBom(record.bytes);
  return bytes === undefined || bytes === record.bytes ? record : { ...record, bytes, length: bytes.length };
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

function wrongCount(found: number, expected: number): Rejection {
  const fields = found === 1 ? '1 field' : `${count(found)} fields`;
  return rejection('csv', `The record has ${fields}, and the header ${count(expected)}.`);
}

const NOTICES = {
  repeated: (n: number, where: string) =>
    n === 1
      ? `skipped 1 line that repeats the header (${where}).`
      : `skipped ${count(n)} lines that repeat the header (${where}).`,
  spans: (n: number, where: string) =>
    `${n === 1 ? '1 record takes' : `${count(n)} records take`} up several lines that look like separate records (${where}). If quotes are plain characters in this file, use --quote none.`,
  unclosed: (n: number, where: string) =>
    `${n === 1 ? '1 line opens' : `${count(n)} lines open`} a quote that is never closed (${where}): double quotes there are read as plain characters. Use --quote none to do so everywhere, or --quote double.`,
  nulls: (n: number, where: string) =>
    `${n === 1 ? '1 record holds' : `${count(n)} records hold`} \\N (${where}): read as null, as written by COPY and MySQL. If backslashes in texts are escapes too, export the file as CSV: psql -c "\\copy (select ...) to 'FILE.csv' csv header"`,
  trailing: (n: number, where: string) =>
    `${n === 1 ? '1 record ends' : `${count(n)} records end`} with more delimiters than the header (${where}): the empty fields are ignored.`,
} as const;

/** Counts what was skipped or is doubtful in a table, with the first place. */
class CsvTally {
  readonly #found = new Map<keyof typeof NOTICES, { count: number; line: number }>();

  note(what: keyof typeof NOTICES, line: number): void {
    const found = this.#found.get(what);
    if (found === undefined) this.#found.set(what, { count: 1, line });
    else found.count += 1;
  }

  /** Notices for the user. */
  notices(source: string): string[] {
    return [...this.#found].map(([what, { count: n, line }]) => {
      const where = n === 1 ? `line ${count(line)}` : `the first at line ${count(line)}`;
      return `${sourceName(source)}: ${NOTICES[what](n, where)}`;
    });
  }
}
