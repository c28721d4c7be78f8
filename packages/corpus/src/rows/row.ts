import type { RequestFault } from '../shapes/request.js';
import type { Rejection } from './reject.js';

/** What is scored: a text, a prompt and/or a response, or an agent's trajectory. */
export type RowContent = { text: string } | { prompt?: string; response?: string } | RowTrajectory;

/** An agent's messages and tools as the row's JSON text, which is interpreted only when rendered. */
interface RowTrajectory {
  /** An array, as JSON text: the spelling of numbers and the order of keys can change a score. */
  messages: string;
  /** JSON text of any value except null. */
  tools?: string;
}

/** JSON values of the requested further fields; missing ones are absent. */
export type KeptFields = Readonly<Record<string, unknown>>;

/** Position of a row. */
interface RowPlace {
  /** 1-based, counts every row (items and rejects) of all sources. */
  seq: number;
  /** The row's id, else its place (`line:42`, `row:42`, with several sources `a.jsonl:line:42`); several rows may share one. */
  key: string;
  /** The source as it was given; `-` is stdin. */
  file: string;
  /** 1-based line in its file; blank lines count. Where a source has no lines: the row in it. */
  line: number;
  /** For sources without lines (Parquet, SQL). */
  unit?: 'row';
  /** Absent when no fields were requested, or the line is not a JSON object. */
  kept?: KeptFields;
}

/** A row that can be scored. */
interface ItemRow extends RowPlace {
  kind: 'item';
  content: RowContent;
}

/** A row that cannot be scored. */
export interface RejectRow extends RowPlace, Rejection {
  kind: 'reject';
  /** For a request: the fault in the form of an API error. */
  fault?: RequestFault;
}

export type CorpusRow = ItemRow | RejectRow;

/** Position of a row for messages: "rows.jsonl, line 17". */
export const placeOf = ({ file, line, unit }: Pick<CorpusRow, 'file' | 'line' | 'unit'>): string =>
  `${file}, ${unit ?? 'line'} ${line}`;

/** Turns an item into a reject. */
export function rejected(row: CorpusRow, { rejectKind, reason }: Rejection): RejectRow {
  const { seq, key, file, line, unit } = row;
  return { kind: 'reject', seq, key, file, line, unit, rejectKind, reason };
}
