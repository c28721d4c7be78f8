import { type Rejection, type RejectKind, rejection } from './reject.js';
import { count, typeName } from './wording.js';

/** Longest key in UTF-16 units. */
export const MAX_KEY_LENGTH = 1024;

/** A row's id: `key` undefined when it has none, or the reason why the one that it has cannot be a key. */
export type RowKey = { key: string | undefined } | Rejection;

/**
 * The key that a row's id field gives: a string as it is, a number as JSON writes it (an integer beyond 2^53 keeps
 * the digits of the source, which `spelled` gives). An absent or null id gives none; anything else is a reason to reject the row.
 */
export function rowKey(value: unknown, spelled: () => string | undefined, field: string): RowKey {
  if (value === undefined || value === null) return { key: undefined };
  const unusable = (kind: RejectKind, what: string): Rejection =>
    rejection(kind, `The id field ${JSON.stringify(field)} ${what}.`);
  if (typeof value !== 'string' && typeof value !== 'number') {
    return unusable('type', `is ${typeName(value)}; a string or a number was expected`);
  }
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return unusable('type', 'is a number too large to be read; write it as a string');
  }
  const rounded = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  const key = (rounded ? spelled() : undefined) ?? String(value);
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
