import type { QuoteStyle } from '@tocsin/core';
import type { OpenSourceOptions } from '../sources/open-source.js';

/** How a format reads one source. */
export interface FormatOptions extends OpenSourceOptions {
  /** Longest line or record in bytes: a longer one is rejected and never held in memory. */
  maxLineBytes: number;
  /** Wanted fields; others need not be read. */
  columns: readonly string[];
  /** The wanted fields that hold what is scored; a record has at least one of them. */
  contentColumns: readonly string[];
  /** The wanted fields that hold plain text. */
  textColumns: readonly string[];
  /** The wanted fields that hold JSON text in formats without nested values. */
  jsonColumns: readonly string[];
  /** What a record should be, for messages: "a JSON object with "text" was expected". */
  expected: string;
  /** JSON has one record per line: no arrays, no objects over several lines. */
  isJsonLines?: boolean;
  /** The id field. */
  idColumn: string | undefined;
  /** The CSV delimiter. */
  delimiter?: string;
  /** CSV quoting. Default: double quotes; detected for TSV. */
  quote?: QuoteStyle;
  /** Called with the beginning of the text before it is parsed. */
  onHead?: (head: Buffer) => void;
  /** Called with the bytes of each record that is not UTF-8. */
  onBroken?: (bytes: Buffer) => void;
  /** Called with the columns of a table before its first record. */
  onColumns?: (names: readonly string[]) => void;
  /** For Postgres. */
  query?: string;
}
