import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Xxh64 } from './xxh64.js';

function hashed(...parts: (string | Buffer)[]): string {
  const hash = new Xxh64();
  for (const part of parts) hash.update(Buffer.from(part));
  return hash.digest().toString(16);
}

// Of the reference implementation (xxhsum -H64).
test.each([
  ['', 'ef46db3751d8e999'],
  ['a', 'd24ec4f1a98c6e5b'],
  ['abc', '44bc2cf5ad770999'],
])('%j is %s', (text, expected) => {
  expect(hashed(text)).toBe(expected);
});

test('the cuts of the stream make no difference', () => {
  const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
  fc.assert(
    fc.property(fc.array(bytes, { maxLength: 5 }), (parts) => {
      expect(hashed(...parts)).toBe(hashed(Buffer.concat(parts)));
    }),
  );
});
