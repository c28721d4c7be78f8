import fc from 'fast-check';
import { expect, test } from 'vitest';
import { undoInterleaving } from './permute.js';

/** As converters write q and k of Llama: row i of a head's first half, then row i of its second, for each i. */
export function interleave(values: Float32Array, rows: number, heads: number): Float32Array {
  const columns = values.length / rows;
  const headDim = rows / heads;
  const order = Array.from({ length: rows }, (_, row) => {
    const inHead = row % headDim;
    return row - inHead + (inHead >> 1) + (inHead % 2) * (headDim / 2);
  });
  return Float32Array.from(
    order.flatMap((row) => [...values.subarray(row * columns, (row + 1) * columns)]),
  );
}

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
