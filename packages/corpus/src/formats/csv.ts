import { UserError } from '@tocsin/errors';
import { parse } from 'csv-parse/sync';
import { cellRecord } from '../cell-record.js';
import { firstInvalidUtf8 } from '../invalid-utf8.js';
import { isBlank } from '../line-splitter.js';
import { openSource } from '../open-source.js';
import { printable } from '../parse-row.js';
import { type Rejection, rejection } from '../reject.js';
import { sourceName } from '../source-name.js';
import type { Found } from '../source-record.js';
import { count } from '../wording.js';
import { type CsvRecord, CsvSplitter } from './csv-splitter.js';
import type { FormatOptions } from './format-options.js';
import { tooLong } from './jsonl.js';
import { readingErrors } from './reading-errors.js';

/** Records handed to the parser at once, at most. */
const PARSED_RECORDS = 500;

/** A cell: its text; null when it is empty and not quoted, as Postgres has it. */
type Cell = string | null;

/**
 * The records of a CSV or TSV file (RFC 4180). The first one names the fields. An empty cell is absent, a quoted empty one
 * is an empty text.
 */
export async function* csvRecords(source: string, options: FormatOptions): AsyncGenerator<Iterable<Found>> {
  const delimiter = options.delimiter ?? ',';
  const splitter = new CsvSplitter(delimiter.charCodeAt(0), options.maxLineBytes);
  const errors = readingErrors(source, () => `before line ${count(splitter.line)}`, options.signal);
  let names: string[] | undefined;
  const found = function* (records: Iterable<CsvRecord>): Generator<Found> {
    for (const batch of batchesOf(records)) {
      const header = names === undefined ? batch.shift() : undefined;
      if (header !== undefined) names = headerOf(header, source, delimiter, options.maxLineBytes);
      if (names !== undefined) yield* parsed(batch, names, delimiter, options);
    }
  };
  try {
    for await (const chunk of openSource(source, options)) {
      options.signal?.throwIfAborted();
      yield found(splitter.push(chunk));
    }
    yield found(splitter.end());
  } catch (error) {
    throw errors(error);
  }
}

function* batchesOf(records: Iterable<CsvRecord>): Generator<CsvRecord[]> {
  let batch: CsvRecord[] = [];
  for (const record of records) {
    if (record.bytes !== undefined && isBlank(record.bytes)) continue;
    batch.push(record);
    if (batch.length < PARSED_RECORDS) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function* parsed(
  batch: readonly CsvRecord[],
  names: readonly string[],
  delimiter: string,
  options: FormatOptions,
): Generator<Found> {
  const faults = batch.map((record) => faultOf(record, options.maxLineBytes));
  const sound = batch.filter((_, i) => faults[i] === undefined);
  const rows = cellsOf(sound, delimiter).values();
  for (const [i, { line }] of batch.entries()) {
    const fault = faults[i];
    if (fault !== undefined) {
      yield { line, ...fault };
      continue;
    }
    const cells = rows.next().value ?? [];
    if (cells.length === names.length) {
      const byName = Object.fromEntries(names.map((name, at) => [name, cells[at]]));
      yield { line, record: cellRecord(byName, options) };
    } else {
      yield { line, ...wrongCount(cells.length, names.length) };
    }
  }
}

/** Why a record's cells cannot be read. */
function faultOf({ bytes, length, fault }: CsvRecord, limit: number): Rejection | undefined {
  if (bytes === undefined) return tooLong('record', length, limit);
  if (fault !== undefined) return rejection('csv', `The quotes of the record cannot be read: ${fault}.`);
  const at = firstInvalidUtf8(bytes);
  return at === undefined
    ? undefined
    : rejection('encoding', `The record is not UTF-8: byte ${count(at + 1)} of it fits no character.`);
}

const LF = Buffer.from('\n');

/** The cells of whole records with sound quotes. */
function cellsOf(records: readonly CsvRecord[], delimiter: string): Cell[][] {
  // Asking of each cell whether it was quoted costs half of the speed.
  const askQuotes = records.some(({ emptyQuotes }) => emptyQuotes);
  const rows = parse(Buffer.concat(records.flatMap(({ bytes = LF }) => [bytes, LF])), {
    delimiter,
    record_delimiter: '\n',
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

function headerOf(record: CsvRecord, source: string, delimiter: string, limit: number): string[] {
  const refuse = (why: string): UserError =>
    new UserError(`The header of ${sourceName(source)} (line ${record.line}) cannot be used: ${why}`, {
      hint: 'The first line of CSV names the fields, each once.',
    });
  const fault = faultOf(record, limit);
  if (fault !== undefined) throw refuse(fault.reason);
  const names = (cellsOf([record], delimiter)[0] ?? []).map((name) => name ?? '');
  // Tables are often exported with an index column that has no name.
  const twice = names.find((name, i) => name !== '' && names.indexOf(name) !== i);
  if (twice !== undefined) throw refuse(`It names ${printable(twice)} twice.`);
  return names;
}

function wrongCount(found: number, expected: number): Rejection {
  const fields = found === 1 ? '1 field' : `${count(found)} fields`;
  return rejection('csv', `The record has ${fields}, and the header ${count(expected)}.`);
}
