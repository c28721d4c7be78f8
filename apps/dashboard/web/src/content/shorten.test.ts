import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shorten } from './shorten.js';

test('a text is cut at a character, never within one', () => {
  expect(shorten('ab\u{1f514}c', 3)).toBe('ab');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, limit) => {
      const short = shorten(text, limit);
      expect(text.startsWith(short)).toBe(true);
      expect(short.length).toBeLessThanOrEqual(limit);
      expect(short).not.toMatch(/\p{Surrogate}/u);
    }),
  );
});
