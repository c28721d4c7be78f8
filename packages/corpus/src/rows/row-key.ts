import { type Rejection, type RejectKind, rejection } from './reject.js';
import { count, typeName } from './wording.js';

/** Longest key in UTF-16 units. */
export const MAX_KEY_LENGTH = 1024;

/** A row's key (undefined without an id), or why its id cannot be a key. */
export type RowKey = { key: string | undefined } | Rejection;

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
