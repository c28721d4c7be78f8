import type { FieldLookup } from '../rows/fields.js';
import type { ParsedRow } from '../rows/parse-row.js';
import type { SourceRecord } from '../sources/source-record.js';

/** What the records of a corpus are, and how they become rows. */
export interface Shape {
  /** What a record should be, for a person. */
  expected(fields: FieldLookup): string;
  /** The fields that it looks at. */
  columns(fields: FieldLookup): (string | undefined)[];
  /** Those of them that say what is to be scored: a record has one of them at least. */
  contentColumns(fields: FieldLookup): (string | undefined)[];
  /** Those of them that hold plain text. */
  textColumns(fields: FieldLookup): (string | undefined)[];
  /** Those of them that hold JSON text where a format has no nested values. */
  jsonColumns(fields: FieldLookup): (string | undefined)[];
  /** The rows that a record holds, one at least. */
  rows(record: SourceRecord, fields: FieldLookup, keep: readonly string[]): ParsedRow[];
}
