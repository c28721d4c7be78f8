import type { ScoreFormat } from '@tocsin/core';
import { stringify } from 'csv-stringify/sync';
import { ParquetEncoder } from './parquet-encoder.js';
import type { Encoder } from './row-writer.js';
import { SCORE_COLUMNS, type ScoreRow } from './score-row.js';

/** Encodes scores as text or bytes. */
export type ScoreEncoder = Encoder<ScoreRow>;

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
