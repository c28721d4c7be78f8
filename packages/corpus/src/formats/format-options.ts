import type { QuoteStyle } from '@tocsin/core';
import type { OpenSourceOptions } from '../sources/open-source.js';

/** How a format reads one source. */
export interface FormatOptions extends OpenSourceOptions {
  /** Longest line or record in bytes: a longer one has a reason in its place, and is never held in memory. */
  maxLineBytes: number;
  /** Fields that are wanted; others need not be read. */
  columns: readonly string[];
  /** Those of them that say what is to be scored; a record has one of them at least. */
  contentColumns: readonly string[];
  /** Those of them that hold plain text. */
  textColumns: readonly string[];
  /** Those of them that hold JSON text where the format has no nested values. */
  jsonColumns: readonly string[];
  /** What a record should be, for a person: "a JSON object with "text" was expected". */
  expected: string;
  /** JSON is always one record per line: arrays and objects over several lines are not looked for. */
  isJsonLines?: boolean;
  /** The field of the key. */
  idColumn: string | undefined;
  /** Between the fields of CSV. */
  delimiter?: string;
  /** Of CSV: what a double quote is. By default a quote; in TSV, what it looks like. */
  quote?: QuoteStyle;
  /** Told how the text begins, before anything is read of it. */
  onHead?: (head: Buffer) => void;
  /** Told the bytes of each record that is not UTF-8. */
  onBroken?: (bytes: Buffer) => void;
  /** Told the columns of a table, before its first record. */
  onColumns?: (names: readonly string[]) => void;
  /** For Postgres. */
  query?: string;
}
