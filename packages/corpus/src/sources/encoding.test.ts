import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstInvalidUtf8 } from './encoding.js';

test.each([
  ['plain and accented: héé, 漢字, 🙂', undefined],
  ['', undefined],
])('%j is UTF-8', (text, expected) => {
  expect(firstInvalidUtf8(Buffer.from(text))).toBe(expected);
});

test.each([
  ['a lone continuation byte', [0x61, 0x80], 1],
  ['an overlong slash', [0xc0, 0xaf], 0],
  ['an overlong three-byte form', [0xe0, 0x80, 0x80], 0],
  ['a surrogate', [0x61, 0x62, 0xed, 0xa0, 0x80], 2],
  ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
  ['a sequence cut off', [0xc3, 0xa9, 0xe2, 0x82], 2],
  ['Latin-1', [0x63, 0x61, 0x66, 0xe9, 0x22], 3],
])('%s is found', (_name, bytes, offset) => {
  expect(firstInvalidUtf8(Uint8Array.from(bytes))).toBe(offset);
});

test('agrees with Node on any bytes, and what stands before the offset is UTF-8', () => {
  const bytes = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 4 }).map((text) => [...Buffer.from(text)]),
        fc.array(fc.integer({ min: 0x7f, max: 0xff }), { maxLength: 3 }),
      ),
      { maxLength: 8 },
    )
    .map((parts) => Uint8Array.from(parts.flat()));
  fc.assert(
    fc.property(bytes, (data) => {
      const offset = firstInvalidUtf8(data);
      expect(offset === undefined).toBe(isUtf8(data));
      if (offset === undefined) return;
      expect(offset).toBeLessThan(data.length);
      expect(isUtf8(data.subarray(0, offset))).toBe(true);
      for (let length = 1; length <= 4 && offset + length <= data.length; length += 1) {
        expect(isUtf8(data.subarray(offset, offset + length))).toBe(false);
      }
    }),
    { numRuns: 1000 },
  );
});
