import { UserError } from '@tocsin/core';
import { type JsonValue, kindOfJson } from './json-value.js';

/**
 * What makes a trajectory unreadable, by its place ("message 3: tool_calls[1].function"). The content of a trajectory is
 * never quoted: these messages end up in logs and tables.
 */
export function wrongKind(place: string, value: JsonValue, expected: string): UserError {
  return new UserError(`${place} is ${kindOfJson(value)}; ${expected} was expected`);
}

const MAX_WORD_LENGTH = 40;

/** A short word out of a trajectory (a role, a parameter's name) in quotes; undefined for what may be more than a name. */
export function quotedWord(value: JsonValue | undefined): string | undefined {
  if (typeof value !== 'string' || value.length > MAX_WORD_LENGTH) return undefined;
  return /^[\w.-]+$/.test(value) ? `"${value}"` : undefined;
}
