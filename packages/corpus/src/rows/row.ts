import type { RequestFault } from '../shapes/request.js';
import { count, typeName } from './wording.js';

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
interface RejectRow extends RowPlace, Rejection {
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

/** Reason codes of rejected rows, for counting. */
export const REJECT_KINDS = [
  /** A line, record, id or text is too long. */
  'too_long',
  /** Invalid UTF-8, or a lone surrogate. */
  'encoding',
  /** Invalid JSON. */
  'json',
  /** Invalid quotes, or a record with a different number of fields than the header. */
  'csv',
  /** A required field is missing. */
  'missing',
  /** More than one field could be scored. */
  'ambiguous',
  /** A wrong type, or an unusable value. */
  'type',
  /** An invalid request (OpenAI Batch). */
  'request',
  /** The guard cannot score it. */
  'guard',
  /** An unusable label or group. */
  'label',
] as const;
export type RejectKind = (typeof REJECT_KINDS)[number];

/** Why a row cannot be scored. */
export interface Rejection {
  rejectKind: RejectKind;
  /** A sentence for people. Never contains the row's text. */
  reason: string;
}

export const rejection = (rejectKind: RejectKind, reason: string): Rejection => ({ rejectKind, reason });

/** Longest key in UTF-16 units. */
export const MAX_KEY_LENGTH = 1024;

/** A row's key (undefined without an id), or why its id cannot be a key. */
type RowKey = { key: string | undefined } | Rejection;

/**
 * The key from a row's id field: a string as it is, a number as JSON writes it (with the source's digits from `spelled`
 * if a double cannot hold them). Absent and null ids give no key, nor does NaN, which data frames write for a missing
 * number. Any other value rejects the row.
 */
export function rowKey(value: unknown, spelled: () => string | undefined, field: string): RowKey {
  if (value === undefined || value === null || Number.isNaN(value)) return { key: undefined };
  const unusable = (kind: RejectKind, what: string): Rejection =>
    rejection(kind, `The id field ${JSON.stringify(field)} ${what}.`);
  if (typeof value !== 'string' && typeof value !== 'number') {
    return unusable('type', `is ${typeName(value)}; a string or a number was expected`);
  }
  const source = typeof value === 'number' && !Number.isSafeInteger(value) ? spelled() : undefined;
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    if (source === undefined || !/\d/.test(source))
      return unusable('type', 'is infinite; a string or a number was expected');
  }
  const key = source !== undefined && isRounded(value as number, source) ? source : String(value);
  if (key.length > MAX_KEY_LENGTH) {
    return unusable(
      'too_long',
      `is ${count(key.length)} characters long, more than ${count(MAX_KEY_LENGTH)}`,
    );
  }
  if (key.includes('\0')) return unusable('encoding', 'holds the character U+0000');
  if (!key.isWellFormed())
    return unusable('encoding', 'holds half of a surrogate pair, which is no character');
  return { key };
}

/** Whether a double loses digits of the source. */
function isRounded(value: number, source: string): boolean {
  if (!Number.isFinite(value) || Number.isInteger(value)) return true;
  return source.replace(/e.*$/i, '').replace(/^-?0*\.?0*|\./g, '').length > 15;
}
