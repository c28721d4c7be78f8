import { JsonNumber, type JsonValue } from './python-json.js';

/** Python's `repr(value)` of a value read from JSON. */
export function pythonRepr(value: JsonValue): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return reprOfString(value);
  if (value instanceof JsonNumber) return pythonNumber(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  return `{${[...value].map(([key, item]) => `${reprOfString(key)}: ${pythonRepr(item)}`).join(', ')}}`;
}

/** Python's `str(value)`, as an f-string writes it: a string unchanged, anything else as `repr`. */
export function pythonStr(value: JsonValue): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

/**
 * Characters for which `str.isprintable()` is false: control, format, surrogate, private and unassigned characters, and
 * separators except the blank. Only characters newer than Python 3.11's Unicode may differ.
 */
const UNPRINTABLE = /[\\\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const SHORT: ReadonlyMap<string, string> = new Map([
  ['\\', '\\\\'],
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
]);

function reprOfString(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(UNPRINTABLE, (character) => SHORT.get(character) ?? escapeOf(character));
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const hex = (places: number): string => code.toString(16).padStart(places, '0');
  if (code <= 0xff) return `\\x${hex(2)}`;
  return code <= 0xffff ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}

/** Python's `json.dumps(value, ensure_ascii=False)`. */
export function pythonDumps(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return dumpString(value);
  if (value instanceof JsonNumber) return dumpNumber(value);
  if (Array.isArray(value)) return `[${value.map(pythonDumps).join(', ')}]`;
  return `{${[...value].map(([key, item]) => `${dumpString(key)}: ${pythonDumps(item)}`).join(', ')}}`;
}

const CONSTANTS: ReadonlyMap<string, string> = new Map([
  ['nan', 'NaN'],
  ['inf', 'Infinity'],
  ['-inf', '-Infinity'],
]);

const SPECIAL = '"\\\\\\x00-\\x1f';
const ESCAPED = new RegExp(`[${SPECIAL}]`, 'g');

function dumpNumber(number: JsonNumber): string {
  const repr = pythonNumber(number);
  return CONSTANTS.get(repr) ?? repr;
}

/** Like JSON.stringify, except that Python leaves an unpaired surrogate unescaped. */
function dumpString(text: string): string {
  if (text.isWellFormed()) return JSON.stringify(text);
  return `"${text.replace(ESCAPED, (character) => JSON.stringify(character).slice(1, -1))}"`;
}

/** Python's `repr()` of a number read from JSON: ints exactly, floats as the shortest digits that round-trip. */
function pythonNumber(number: JsonNumber): string {
  // int('-0') is 0; every other int literal of JSON is spelled as Python spells it.
  if (number.isInteger) return number.literal === '-0' ? '0' : number.literal;
  return pythonFloat(Number(number.literal));
}

/** Python's `repr(float)`: below 1e-4 and from 1e16 with an exponent of at least two digits, otherwise with a fraction. */
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
