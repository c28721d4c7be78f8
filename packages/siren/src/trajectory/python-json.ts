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

/** Deeper nesting makes Python's own reader fail, and the reference with it (its recursion limit is 1,000 frames). */
const MAX_DEPTH = 900;
/** `sys.get_int_max_str_digits()`: Python refuses to read a longer int. */
const MAX_INT_DIGITS = 4300;

/** A text that Python's `json.loads` refuses. The message says why and where, without quoting it. */
export class JsonFault extends Error {
  override name = 'JsonFault';
}

/** A text that is nested deeper than Python reads. */
export class TooDeep extends JsonFault {
  override name = 'TooDeep';
}

/**
 * Python's `json.loads(text)`. Also accepts NaN, Infinity and -Infinity; of equal keys the last value wins, at the
 * first one's position.
 *
 * `JSON.parse` loses the order of keys and the spelling of numbers. Parsers that build a syntax tree are about ten times
 * slower and disagree about control characters in strings.
 *
 * @throws JsonFault where Python raises ValueError, TooDeep where it raises RecursionError
 */
export function readPythonJson(text: string): JsonValue {
  const reader = new Reader(text);
  reader.skipBlanks();
  const value = reader.value(0);
  reader.skipBlanks();
  if (reader.at < text.length) throw reader.fault('nothing more');
  return value;
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?/y;
const CONSTANTS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['null', null],
  ['true', true],
  ['false', false],
  ['NaN', new JsonNumber('NaN')],
  ['Infinity', new JsonNumber('Infinity')],
  ['-Infinity', new JsonNumber('-Infinity')],
]);
/** Characters that a string must escape: quote, backslash, control characters. */
const SPECIAL = '"\\\\\\x00-\\x1f';
const PLAIN = new RegExp(`[^${SPECIAL}]*`, 'y');
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

class Reader {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  value(depth: number): JsonValue {
    if (depth > MAX_DEPTH) throw new TooDeep(`it is nested deeper than ${MAX_DEPTH} levels`);
    const char = this.#text[this.at];
    if (char === '"') return this.#string();
    if (char === '{') return this.#object(depth);
    if (char === '[') return this.#array(depth);
    return this.#number() ?? this.#constant();
  }

  skipBlanks(): void {
    for (let char = this.#text[this.at]; char === ' ' || char === '\n' || char === '\t' || char === '\r'; ) {
      this.at += 1;
      char = this.#text[this.at];
    }
  }

  fault(expected: string): JsonFault {
    return new JsonFault(`at character ${this.at + 1} ${expected} was expected`);
  }

  #object(depth: number): JsonObject {
    const object: JsonObject = new Map();
    this.at += 1;
    this.skipBlanks();
    if (this.#takes('}')) return object;
    do {
      this.skipBlanks();
      if (this.#text[this.at] !== '"') throw this.fault('a key in double quotes');
      const key = this.#string();
      this.skipBlanks();
      if (!this.#takes(':')) throw this.fault('":"');
      this.skipBlanks();
      object.set(key, this.value(depth + 1));
      this.skipBlanks();
    } while (this.#takes(','));
    if (!this.#takes('}')) throw this.fault('"," or "}"');
    return object;
  }

  #array(depth: number): JsonValue[] {
    const array: JsonValue[] = [];
    this.at += 1;
    this.skipBlanks();
    if (this.#takes(']')) return array;
    do {
      this.skipBlanks();
      array.push(this.value(depth + 1));
      this.skipBlanks();
    } while (this.#takes(','));
    if (!this.#takes(']')) throw this.fault('"," or "]"');
    return array;
  }

  #string(): string {
    this.at += 1;
    let string = '';
    for (;;) {
      PLAIN.lastIndex = this.at;
      const plain = PLAIN.exec(this.#text)?.[0] ?? '';
      string += plain;
      this.at += plain.length;
      if (this.#takes('"')) return string;
      if (!this.#takes('\\')) throw this.fault('a character of a string, or its end,');
      string += this.#escape();
    }
  }

  #escape(): string {
    const char = this.#text[this.at] ?? '';
    const hex = this.#text.slice(this.at + 1, this.at + 5);
    if (char === 'u' && /^[\da-f]{4}$/i.test(hex)) {
      this.at += 5;
      return String.fromCharCode(Number.parseInt(hex, 16));
    }
    const escaped = Object.hasOwn(ESCAPES, char) ? ESCAPES[char] : undefined;
    if (escaped === undefined) throw this.fault('an escape that JSON knows');
    this.at += 1;
    return escaped;
  }

  #number(): JsonNumber | undefined {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.#text);
    if (match === null) return undefined;
    const [literal, fraction, exponent] = match;
    const digits = literal.length - (literal.startsWith('-') ? 1 : 0);
    if (fraction === undefined && exponent === undefined && digits > MAX_INT_DIGITS) {
      throw new JsonFault(`at character ${this.at + 1} is an integer of more than ${MAX_INT_DIGITS} digits`);
    }
    this.at += literal.length;
    return new JsonNumber(literal);
  }

  #constant(): JsonValue {
    for (const [word, value] of CONSTANTS) {
      if (!this.#text.startsWith(word, this.at)) continue;
      this.at += word.length;
      return value;
    }
    throw this.fault('a value');
  }

  #takes(char: string): boolean {
    if (this.#text[this.at] !== char) return false;
    this.at += 1;
    return true;
  }
}
