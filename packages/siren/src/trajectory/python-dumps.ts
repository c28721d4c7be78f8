import { JsonNumber, type JsonValue } from './json-value.js';
import { pythonNumber } from './python-number.js';

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

/** As JSON.stringify writes it, but for half a surrogate pair: Python leaves it as it is. */
function dumpString(text: string): string {
  if (text.isWellFormed()) return JSON.stringify(text);
  return `"${text.replace(ESCAPED, (character) => JSON.stringify(character).slice(1, -1))}"`;
}
