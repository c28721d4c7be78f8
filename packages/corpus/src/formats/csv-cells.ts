import { parse } from 'csv-parse/sync';
import { type Rejection, rejection } from '../rows/row.js';
import { count } from '../rows/wording.js';
import { firstInvalidUtf8 } from '../sources/encoding.js';
import type { CsvDialect } from './csv-dialect.js';
import type { CsvRecord } from './csv-splitter.js';
import { tooLong } from './jsonl.js';

/** A cell's text; null when it is empty and unquoted, as in Postgres. */
export type Cell = string | null;

export const LF = Buffer.from('\n');

/** The cells of complete records with valid quotes. */
export function cellsOf(records: readonly CsvRecord[], dialect: CsvDialect): Cell[][] {
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
  // Asking the parser whether each cell was quoted halves the speed.
  const askQuotes = records.some(({ emptyQuotes }) => emptyQuotes);
  const rows = parse(Buffer.concat(records.flatMap(({ bytes = LF }) => [bytes, LF])), {
    delimiter,
    record_delimiter: '\n',
    ...(single && { quote: "'", escape: "'" }),
    ...(escaping && { escape: '\\' }),
    relax_column_count: true,
    // A quote inside an unquoted field is a plain character: 5" disk.
    relax_quotes: true,
    ...(askQuotes && { cast: (text, { quoting }) => (text === '' && !quoting ? null : text) }),
  }) as Cell[][];
  if (rows.length !== records.length) {
    throw new Error(`${records.length} records of CSV were read as ${rows.length}`);
  }
  return askQuotes ? rows : rows.map((cells) => cells.map((cell) => (cell === '' ? null : cell)));
}

/** Why a record cannot be parsed. */
export function faultOf({ bytes, length, fault, lines }: CsvRecord, limit: number): Rejection | undefined {
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

/** NULL in the output of COPY and MySQL. */
const NULL = '\\N';

export function withoutNulls(cells: Cell[], onNull: () => void): Cell[] {
  if (!cells.includes(NULL)) return cells;
  onNull();
  return cells.map((cell) => (cell === NULL ? null : cell));
}
