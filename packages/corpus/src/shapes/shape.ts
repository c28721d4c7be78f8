import type { FieldLookup } from '../rows/fields.js';
import type { ParsedRow } from '../rows/parse-row.js';
import type { SourceRecord } from '../rows/source-record.js';

/** How the records of a corpus become rows. */
export interface Shape {
  /** What a record should be, for messages. */
  expected(fields: FieldLookup): string;
  /** The fields it reads. */
  columns(fields: FieldLookup): (string | undefined)[];
  /** The fields that hold what is scored: a record has at least one of them. */
  contentColumns(fields: FieldLookup): (string | undefined)[];
  /** The fields that hold plain text. */
  textColumns(fields: FieldLookup): (string | undefined)[];
  /** The fields that hold JSON text in formats without nested values. */
  jsonColumns(fields: FieldLookup): (string | undefined)[];
  /** The rows of a record, at least one. */
  rows(record: SourceRecord, fields: FieldLookup, keep: readonly string[]): ParsedRow[];
}
