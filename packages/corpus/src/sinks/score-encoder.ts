import type { ScoreFormat } from '@tocsin/core';
import { stringify } from 'csv-stringify/sync';
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Encoder } from './row-writer.js';
import { SCORE_COLUMNS, type ScoreRow } from './score-format.js';

/** Encodes scores as text or bytes. */
type ScoreEncoder = Encoder<ScoreRow>;

/** The encoder of a format with one row per score. */
export function scoreEncoder(format: Exclude<ScoreFormat, 'openai-batch'>): ScoreEncoder {
  switch (format) {
    case 'jsonl':
      return { header: '', rows: (rows) => rows.map((row) => `${JSON.stringify(withItem(row))}\n`).join('') };
    case 'csv':
      return csvEncoder(',');
    case 'tsv':
      return csvEncoder('\t');
    case 'parquet':
      return new ParquetEncoder(cells);
  }
}

function withItem(row: ScoreRow): ScoreRow {
  return row.item === undefined ? cells(row) : { ...cells(row), item: row.item };
}

/** The row's fields in order; a row with an error has only the error. */
function cells(row: ScoreRow): ScoreRow {
  const { key, score, harmful, threshold, tokens, truncated, error } = row;
  if (error !== undefined) return { key, error };
  if (score !== undefined && !Number.isFinite(score)) throw new RangeError(`the score of ${key} is ${score}`);
  // JSON omits undefined.
  return { key, score, harmful, threshold, tokens, truncated } as ScoreRow;
}

/**
 * Lines of CSV (RFC 4180, with LF). Spreadsheets evaluate cells that start with = + - @, tab or CR as formulas, and keys
 * come from the corpus: such cells, keys included, get a leading apostrophe. Plain numbers (`-100123`) are harmless and
 * left alone.
 */
function csvEncoder(delimiter: string): ScoreEncoder {
  const csv = (records: readonly (readonly unknown[])[]): string =>
    stringify([...records], { delimiter, cast: { boolean: String, string: csvText } });
  return { header: csv([SCORE_COLUMNS]), rows: (rows) => csv(rows.map(csvCells)) };
}

/** The start of a formula in a spreadsheet (the last four are full-width signs). */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

const PLAIN_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A text, made safe for a CSV cell. */
export const csvText = (text: string): string =>
  FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;

function csvCells(row: ScoreRow): unknown[] {
  const ordered = cells(row);
  return SCORE_COLUMNS.map((column) => ordered[column]);
}

/** Rows per row group: the unit in which readers skip and parallelize, buffered by the encoder. */
const GROUP_ROWS = 20_000;

const TYPE_OF = {
  key: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  score: { type: 'DOUBLE' },
  harmful: { type: 'BOOLEAN' },
  threshold: { type: 'DOUBLE' },
  tokens: { type: 'INT32' },
  truncated: { type: 'BOOLEAN' },
  error: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
} as const satisfies Record<(typeof SCORE_COLUMNS)[number], Partial<SchemaElement>>;

const SCHEMA: SchemaElement[] = [
  { name: 'scores', num_children: SCORE_COLUMNS.length },
  ...SCORE_COLUMNS.map(
    (name): SchemaElement => ({
      name,
      ...TYPE_OF[name],
      repetition_type: name === 'key' ? 'REQUIRED' : 'OPTIONAL',
    }),
  ),
];

/** Encodes scores as a Parquet file (Snappy), one row group after the other. Missing values are null. */
class ParquetEncoder implements Encoder<ScoreRow> {
  readonly header = '';
  readonly #bytes = new ByteWriter();
  readonly #parquet: ParquetWriter;
  readonly #cells: (row: ScoreRow) => ScoreRow;
  #rows: ScoreRow[] = [];

  /** @param cells the cells of a row */
  constructor(cells: (row: ScoreRow) => ScoreRow) {
    this.#cells = cells;
    this.#parquet = new ParquetWriter({ writer: this.#bytes, schema: SCHEMA, createdBy: 'tocsin' });
  }

  rows(rows: readonly ScoreRow[]): Uint8Array {
    for (const row of rows) {
      this.#rows.push(this.#cells(row));
      if (this.#rows.length === GROUP_ROWS) this.#writeGroup();
    }
    return this.#take();
  }

  end(): Uint8Array {
    if (this.#rows.length > 0) this.#writeGroup();
    this.#parquet.finish();
    return this.#take();
  }

  #writeGroup(): void {
    const columnData = SCORE_COLUMNS.map((name) => ({
      name,
      data: this.#rows.map((row) => row[name] ?? null),
    }));
    this.#parquet.write({ columnData, rowGroupSize: GROUP_ROWS });
    this.#rows = [];
  }

  /** The bytes written since the last call. */
  #take(): Uint8Array {
    const bytes = this.#bytes.getBytes().slice();
    this.#bytes.index = 0;
    return bytes;
  }
}
