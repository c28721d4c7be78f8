import { UserError } from '@tocsin/core';

/**
 * A JSON value as Python holds it: objects keep the order of their keys (a JavaScript object moves `"1"` before `"a"`),
 * and numbers keep their spelling (1.0 is a float and 1 an int; an int has any number of digits).
 */
export type JsonValue = null | boolean | string | JsonNumber | JsonValue[] | JsonObject;
export type JsonObject = Map<string, JsonValue>;

/** A number as written: `12`, `1.50`, `1e5`, or Python's additions `NaN`, `Infinity`, `-Infinity`. */
export class JsonNumber {
  constructor(readonly literal: string) {}

  /** Python reads an int where there is no fraction and no exponent. */
  get isInteger(): boolean {
    return /^-?\d+$/.test(this.literal);
  }
}

/** Python's `bool(value)`. */
export function isTruthy(value: JsonValue | undefined): value is Exclude<JsonValue, null> {
  if (value === undefined || value === null) return false;
  if (value instanceof JsonNumber) return Number(value.literal) !== 0;
  if (value instanceof Map) return value.size > 0;
  if (Array.isArray(value)) return value.length > 0;
  return value !== false && value !== '';
}

/** The kind of a value, with its article, for messages that must not quote it. */
export function kindOfJson(value: JsonValue): string {
  if (value === null) return 'null';
  if (value instanceof JsonNumber) return 'a number';
  if (value instanceof Map) return 'an object';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'boolean' ? 'true or false' : 'a string';
}

/**
 * An error that names a place ("message 3: tool_calls[1].function") and never quotes the trajectory, since messages
 * end up in logs and tables.
 */
export function wrongKind(place: string, value: JsonValue, expected: string): UserError {
  return new UserError(`${place} is ${kindOfJson(value)}; ${expected} was expected`);
}

const MAX_WORD_LENGTH = 40;

/** A short name from a trajectory (a role, a parameter) in quotes; undefined for anything that may be more than a name. */
export function quotedWord(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_WORD_LENGTH) return undefined;
  return /^[\w.-]+$/.test(value) ? `"${value}"` : undefined;
}
