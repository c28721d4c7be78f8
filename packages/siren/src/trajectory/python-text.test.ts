import fc from 'fast-check';
import { expect, test } from 'vitest';
import { JsonNumber, readPythonJson } from './python-json.js';
import { pythonDumps, pythonRepr, pythonStr } from './python-text.js';

// Python's output for each is in golden/rendering.json too; these tests cover all numbers and strings.

test.each([
  ['3', '3'],
  ['-0', '0'],
  ['-0.0', '-0.0'],
  ['1e5', '100000.0'],
  ['1e16', '1e+16'],
  ['9999999999999998.0', '9999999999999998.0'],
  ['0.0001', '0.0001'],
  ['0.00001', '1e-05'],
  ['1.5e-7', '1.5e-07'],
  ['1.25e300', '1.25e+300'],
  ['1e400', 'inf'],
  ['-1e400', '-inf'],
  ['NaN', 'nan'],
  ['100000000000000000000000', '100000000000000000000000'],
])('the number %s is %s to Python', (literal, repr) => {
  expect(pythonRepr(new JsonNumber(literal))).toBe(repr);
});

test.each([
  ['plain', "'plain'"],
  ["it's", `"it's"`],
  [`"both" 'of them'`, `'"both" \\'of them\\''`],
  ['a\\b\n\r\t\u0000\u007f', "'a\\\\b\\n\\r\\t\\x00\\x7f'"],
  ['\u00a0\u00ad\u2028\ufeff', "'\\xa0\\xad\\u2028\\ufeff'"],
  ['é ✓ 🙂', "'é ✓ 🙂'"],
  ['\udb40\udc01\ud800', "'\\U000e0001\\ud800'"],
])('the string %j is %s to Python', (text, repr) => {
  expect(pythonRepr(text)).toBe(repr);
  expect(pythonStr(text)).toBe(text);
});

test('lists and dicts', () => {
  const value = readPythonJson('{"b": [], "1": {"a": [null, true, 0.50]}, "c": {}}');
  expect(pythonRepr(value)).toBe("{'b': [], '1': {'a': [None, True, 0.5]}, 'c': {}}");
  expect(pythonDumps(value)).toBe('{"b": [], "1": {"a": [null, true, 0.5]}, "c": {}}');
  expect(pythonDumps(readPythonJson('[1e400, -1e400, NaN, "é\\u2028\\u0001/\\ud800"]'))).toBe(
    '[Infinity, -Infinity, NaN, "é\u2028\\u0001/\ud800"]',
  );
});

test('the repr of a double is read back as that double, and says that it is no int', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const repr = pythonRepr(new JsonNumber(Object.is(value, -0) ? '-0.0' : value.toExponential()));
      expect(Number(repr)).toBe(value);
      expect(repr).toMatch(/^-?\d+(\.\d+)?e[-+]\d\d+$|^-?\d+\.\d+$/);
    }),
  );
});

test('what is dumped is read back as it was', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const read = readPythonJson(JSON.stringify(value));
      expect(JSON.parse(pythonDumps(read))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
