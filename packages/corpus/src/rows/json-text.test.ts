import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonFault } from './json-text.js';
import { isJson } from './json-values.js';

test.each([
  ['', 0, 'the line ends in the middle of the JSON'],
  ['{"text": "a"', 12, 'the line ends in the middle of the JSON'],
  ['{"text": "a', 11, 'the line ends in the middle of a string'],
  ['{"text": "a\\', 12, 'the line ends in the middle of a string'],
  ["{'text': 1}", 1, 'a field name in double quotes or "}" was expected'],
  ['{"text": 1,}', 11, 'a field name in double quotes was expected'],
  ['{"text" 1}', 8, '":" was expected'],
  ['{"text": NaN}', 9, 'a value was expected'],
  ['{"text": [1 2]}', 12, '"," or "]" was expected'],
  ['[,', 1, 'a value or "]" was expected'],
  ['{"text": "a" "b"}', 13, '"," or "}" was expected'],
  ['{"text": "a\tb"}', 11, 'a control character in a string must be written as an escape'],
  ['{"text": "a\\xb"}', 11, 'a backslash is followed by an unknown escape'],
  ['{"text": "\\u12g4"}', 10, 'a backslash is followed by an unknown escape'],
  ['{"n": 01}', 7, '"," or "}" was expected'],
  ['{"n": 1.}', 8, 'a digit was expected'],
  ['{"n": 1e+}', 9, 'a digit was expected'],
  ['{"n": -}', 7, 'a digit was expected'],
  ['{} {}', 3, 'the line should end after the first value'],
  ['\u00a0{}', 0, 'a value was expected'],
])('%j breaks at %i: %s', (text, at, what) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(jsonFault(text)).toEqual({ at, what });
});

const pieces = [
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '"',
  '\\',
  '\\u00e9',
  '"a"',
  ' ',
  '\t',
  '\n',
  '0',
  '12',
  '-',
  '.',
  'e',
  'E+',
  'true',
  'null',
  'x',
];

test('finds a fault in exactly the texts that JSON.parse refuses', () => {
  const broken = fc
    .tuple(fc.json(), fc.nat(), fc.nat({ max: 3 }), fc.constantFrom('', ...pieces))
    .map(([json, at, length, piece]) => {
      const from = at % (json.length + 1);
      return json.slice(0, from) + piece + json.slice(from + length);
    });
  const tokens = fc.array(fc.constantFrom(...pieces), { maxLength: 10 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(fc.oneof(fc.json(), broken, tokens), (text) => {
      const fault = jsonFault(text);
      expect(fault === undefined).toBe(isJson(text));
      if (fault === undefined) return;
      expect(fault.at).toBeGreaterThanOrEqual(0);
      expect(fault.at).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 3000 },
  );
});

test('deep nesting and long strings overflow no stack', () => {
  expect(jsonFault('['.repeat(500_000))).toEqual({
    at: 500_000,
    what: 'the line ends in the middle of the JSON',
  });
  expect(jsonFault(`"${'a'.repeat(5_000_000)}"x`)?.at).toBe(5_000_002);
});
