import { InvalidArgumentError } from 'commander';

const SECOND = 1000;
const UNITS: Record<string, number> = {
  ms: 1,
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86_400 * SECOND,
};

/** Parses `90s`, `1.5h` or `30d`, for an option. @returns milliseconds */
export function duration(text: string): number {
  const [, value, unit = ''] = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const scale = UNITS[unit];
  if (value === undefined || scale === undefined) {
    throw new InvalidArgumentError('Expected a number and a unit: 500ms, 90s, 10m, 12h or 30d.');
  }
  return Number(value) * scale;
}

/** A non-negative integer option, where 0 means "none". */
export function numberFromZero(text: string): number {
  return text === '0' ? 0 : wholeNumber(text);
}

const MAX_NUMBER = 999_999_999;

/** Parses a whole number from 1 to 999,999,999, for an option. */
export function wholeNumber(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= MAX_NUMBER) return value;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MAX_NUMBER}.`);
}

/** Parses a number from 0 to 1, for an option. */
export function probability(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a number from 0 to 1.');
}
