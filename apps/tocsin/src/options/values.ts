import { InvalidArgumentError } from 'commander';
import { wholeNumber } from './guard-options.js';

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
