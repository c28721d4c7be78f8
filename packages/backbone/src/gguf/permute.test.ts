import fc from 'fast-check';
import { expect, test } from 'vitest';
import { undoInterleaving } from './permute.js';
import { interleave } from './testing/interleave.js';

test('undoInterleaving.one head of four rows', () => {
  const values = Float32Array.of(0, 0.5, 2, 2.5, 1, 1.5, 3, 3.5);
  undoInterleaving(values, 4, 1);
  expect([...values]).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
});

test('undoInterleaving.gives back what a converter interleaved', () => {
  const size = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(size, size, size, (heads, half, columns) => {
      const rows = heads * half * 2;
      const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
      const stored = interleave(values, rows, heads);
      undoInterleaving(stored, rows, heads);
      expect(stored).toEqual(values);
    }),
  );
});
