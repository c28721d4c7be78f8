import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fieldSource } from './source-record.js';

test.each([
  ['{"a": [1, {"b": "]"}] , "b": 2}', 'a', '[1, {"b": "]"}]'],
  ['{"a": [1, {"b": "]"}] , "b": 2}', 'b', '2'],
  ['{"a" :\t"x, \\"y\\"}"\n}', 'a', '"x, \\"y\\"}"'],
  ['{"a": {"a": 1}, "a": {"a": 2} }', 'a', '{"a": 2}'],
  ['{"\\u0061": null}', 'a', 'null'],
  ['{"b": "a", "c": ["a"]}', 'a', undefined],
  ['{}', 'a', undefined],
])('%s, %s: %s', (json, field, source) => {
  expect(fieldSource(json, field)).toBe(source);
});

test('finds the text of every field of any object', () => {
  const object = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(object, fc.constantFrom(undefined, 2), (value, indent) => {
      const json = JSON.stringify(value, undefined, indent);
      for (const [field, part] of Object.entries(value)) {
        expect(JSON.parse(fieldSource(json, field) ?? '')).toEqual(JSON.parse(JSON.stringify(part)));
      }
    }),
  );
});
