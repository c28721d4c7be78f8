import type { JsonNumber } from './json-value.js';

/** Python's `repr()` of a number that it read from JSON: ints exactly, floats as the shortest digits that give them back. */
export function pythonNumber(number: JsonNumber): string {
  // int('-0') is 0; every other int literal of JSON is spelled as Python spells it.
  if (number.isInteger) return number.literal === '-0' ? '0' : number.literal;
  return pythonFloat(Number(number.literal));
}

/** Python's `repr(float)`: an exponent of two digits at least, below 1e-4 and from 1e16 on; else a fraction, `.0` if none. */
function pythonFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  // The shortest digits are the same in both languages; only where the point goes differs.
  const [mantissa = '', power = ''] = Math.abs(value).toExponential().split('e');
  const digits = mantissa.replace('.', '');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const places = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${places}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}
