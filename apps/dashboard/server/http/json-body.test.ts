import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elementsOf, isDeeper } from './json-body.js';

test('the elements of an array are what they were, however it is spaced', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1, '\t\r'), (values, space) => {
      const parsed = elementsOf(JSON.stringify(values, null, space)).map(
        (json) => JSON.parse(json) as unknown,
      );
      expect(parsed).toEqual(JSON.parse(JSON.stringify(values)));
    }),
  );
});

test('numbers and keys keep their spelling', () => {
  expect(elementsOf(' [ {"b": 1.0, "1": 2} , 1e2,"a,]\\"",[1,[2]]] ')).toEqual([
    '{"b": 1.0, "1": 2}',
    '1e2',
    '"a,]\\""',
    '[1,[2]]',
  ]);
});

test('depth is that of brackets outside of strings', () => {
  const deep = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;
  expect(isDeeper(deep(100), 100)).toBe(false);
  expect(isDeeper(deep(102), 100)).toBe(true);
  expect(isDeeper(`["${'['.repeat(500)}\\"${'{'.repeat(500)}"]`, 1)).toBe(false);
  expect(isDeeper(`[${'[],'.repeat(500)}[]]`, 2)).toBe(false);
});
