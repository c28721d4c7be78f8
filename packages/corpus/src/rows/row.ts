import type { RequestFault } from '../shapes/request.js';
import type { Rejection } from './reject.js';

/** What is scored: one text, or a prompt, or a response, or both of them; or an agent's trajectory. */
export type RowContent = { text: string } | { prompt?: string; response?: string } | RowTrajectory;

/** An agent's messages and tools, as the JSON that stands in the row: what it says is the affair of who renders it. */
export interface RowTrajectory {
  /** An array, as JSON text: the spelling of numbers and the order of keys can change a score. */
  messages: string;
  /** JSON text of any value but null. */
  tools?: string;
}

/** JSON values of the fields that a reader was asked to keep, by name; a field that the row lacks is absent. */
export type KeptFields = Readonly<Record<string, unknown>>;

/** Where a row stands. */
interface RowPlace {
  /** 1-based, counts every row (items and rejects) of all sources. */
  seq: number;
  /** The row's id, else its place (`line:42`, `row:42`, with several sources `a.jsonl:line:42`); several rows may share one. */
  key: string;
  /** The source as it was given; `-` is stdin. */
  file: string;
  /** 1-based line in its file; blank lines count. Where a source has no lines: the row in it. */
  line: number;
  /** Of a source that has no lines (Parquet, SQL). */
  unit?: 'row';
  /** Absent when nothing was to be kept, or the line is no JSON object. */
  kept?: KeptFields;
}

/** A row that can be scored. */
export interface ItemRow extends RowPlace {
  kind: 'item';
  content: RowContent;
}

/** A row that cannot be scored. */
export interface RejectRow extends RowPlace, Rejection {
  kind: 'reject';
  /** Of a request: the same, as its answer says it. */
  fault?: RequestFault;
}

export type CorpusRow = ItemRow | RejectRow;

/** Where a row stands, for a person: "rows.jsonl, line 17". */
export const placeOf = ({ file, line, unit }: Pick<CorpusRow, 'file' | 'line' | 'unit'>): string =>
  `${file}, ${unit ?? 'line'} ${line}`;

/** A row that is not to be scored after all. */
export function rejected(row: CorpusRow, { rejectKind, reason }: Rejection): RejectRow {
  const { seq, key, file, line, unit } = row;
  return { kind: 'reject', seq, key, file, line, unit, rejectKind, reason };
}
