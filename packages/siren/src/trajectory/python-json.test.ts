import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonFault, JsonNumber, type JsonValue, readPythonJson, TooDeep } from './python-json.js';

/** As JSON.parse would return it. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonNumber) return Number(value.literal);
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

test('any JSON is read as JSON.parse reads it, however it is laid out', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ noUnicodeString: false }),
      fc.constantFrom('', ' ', '\n\t'),
      (value, indent) => {
        const json = `${indent}${JSON.stringify(value, undefined, indent)}${indent}`;
        expect(plain(readPythonJson(json))).toEqual(JSON.parse(json));
      },
    ),
  );
});

test('a text with one character changed is JSON for both or for neither', () => {
  const change = fc.tuple(fc.nat(), fc.constantFrom(...'{}[]",:\\eE+-.019tu \t\n\u0001\u00a0'));
  fc.assert(
    fc.property(fc.json(), change, (json, [at, character]) => {
      const place = at % json.length;
      const text = json.slice(0, place) + character + json.slice(place + 1);
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        expect(() => readPythonJson(text)).toThrow(JsonFault);
        return;
      }
      expect(plain(readPythonJson(text))).toEqual(parsed);
    }),
    { numRuns: 2000 },
  );
});

test('the order of keys and the spelling of numbers are kept; of equal keys the last value, at the first place', () => {
  const value = readPythonJson('{"b": 1.50, "2": 1E2, "1": -0, "b": 12345678901234567890}');
  expect([...(value as Map<string, JsonValue>)]).toEqual([
    ['b', new JsonNumber('12345678901234567890')],
    ['2', new JsonNumber('1E2')],
    ['1', new JsonNumber('-0')],
  ]);
});

test.each(['NaN', 'Infinity', '-Infinity'])('%s is a number to Python', (literal) => {
  expect(readPythonJson(literal)).toEqual(new JsonNumber(literal));
});

test.each<[string, string]>([
  ['', 'at character 1 a value was expected'],
  ['-NaN', 'at character 1 a value was expected'],
  ['\ufeff1', 'at character 1 a value was expected'],
  ['1 2', 'at character 3 nothing more was expected'],
  ['{a: 1}', 'at character 2 a key in double quotes was expected'],
  ['[1 2]', 'at character 4 "," or "]" was expected'],
  ['{"a" 1}', 'at character 6 ":" was expected'],
  ['"a\nb"', 'at character 3 a character of a string, or its end, was expected'],
  ['"\\x41"', 'at character 3 an escape that JSON knows was expected'],
  ['1'.repeat(4301), 'an integer of more than 4300 digits'],
])('%.12j is a fault that is told by its place', (text, message) => {
  expect(() => readPythonJson(text)).toThrow(JsonFault);
  expect(() => readPythonJson(text)).toThrow(message);
});

test('the longest int, and the deepest nesting, that Python reads', () => {
  expect(readPythonJson(`-${'1'.repeat(4300)}`)).toBeInstanceOf(JsonNumber);
  expect(readPythonJson('['.repeat(900) + ']'.repeat(900))).toHaveLength(1);
  expect(() => readPythonJson('['.repeat(100_000))).toThrow(TooDeep);
});
