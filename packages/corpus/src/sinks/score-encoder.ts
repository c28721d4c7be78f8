import type { ScoreFormat } from '@tocsin/core';
import { stringify } from 'csv-stringify/sync';
import { ParquetEncoder } from './parquet-encoder.js';
import type { Encoder } from './row-writer.js';
import { SCORE_COLUMNS, type ScoreRow } from './score-row.js';

/** Turns scores into text or bytes. */
export type ScoreEncoder = Encoder<ScoreRow>;

/** The encoder of a format that is one row for each score. */
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

/** The row's fields in their order; a row with an error has only that. */
function cells(row: ScoreRow): ScoreRow {
  const { key, score, harmful, threshold, tokens, truncated, error } = row;
  if (error !== undefined) return { key, error };
  if (score !== undefined && !Number.isFinite(score)) throw new RangeError(`the score of ${key} is ${score}`);
  // JSON leaves out what is undefined.
  return { key, score, harmful, threshold, tokens, truncated } as ScoreRow;
}

/**
 * Lines of CSV (RFC 4180, with LF). A spreadsheet runs a cell that begins with = + - @, tab or CR as a formula, and
 * keys come from the corpus: such cells get an apostrophe in front, in the key too. Plain numbers (`-100123`) are left
 * alone: a spreadsheet computes nothing from one.
 */
function csvEncoder(delimiter: string): ScoreEncoder {
  const csv = (records: readonly (readonly unknown[])[]): string =>
    stringify([...records], { delimiter, cast: { boolean: String, string: csvText } });
  return { header: csv([SCORE_COLUMNS]), rows: (rows) => csv(rows.map(csvCells)) };
}

/** What a spreadsheet would take for a formula (the last four are its signs in full width). */
const FORMULA = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/;

const PLAIN_NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

/** A text as it stands in a cell of CSV that we write. */
export const csvText = (text: string): string =>
  FORMULA.test(text) && !PLAIN_NUMBER.test(text) ? `'${text}` : text;

function csvCells(row: ScoreRow): unknown[] {
  const ordered = cells(row);
  return SCORE_COLUMNS.map((column) => ordered[column]);
}
