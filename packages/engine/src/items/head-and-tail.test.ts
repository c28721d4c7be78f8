import fc from 'fast-check';
import { expect, test } from 'vitest';
import { headAndTail } from './head-and-tail.js';

test.each([
  [3, 5, [0, 1, 2]],
  [5, 5, [0, 1, 2, 3, 4]],
  [6, 5, [0, 1, 3, 4, 5]],
  [9, 4, [0, 1, 7, 8]],
  [9, 1, [8]],
  [0, 4, []],
])('%i tokens for %i', (tokens, maxLength, kept) => {
  expect(headAndTail(tokens, maxLength)).toEqual(kept);
});

test('both ends are kept, in order, and as many as fit', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 500 }), fc.integer({ min: 2, max: 200 }), (tokens, maxLength) => {
      const kept = headAndTail(tokens, maxLength);
      expect(kept).toHaveLength(Math.min(tokens, maxLength));
      expect([kept[0], kept.at(-1)]).toEqual([0, tokens - 1]);
      expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
    }),
  );
});
