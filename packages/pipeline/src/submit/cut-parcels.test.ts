import type { Content } from '@tocsin/engine';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutParcels } from './cut-parcels.js';

const contentsOf = (lengths: number[]): Content[] =>
  lengths.map((length, i) => ({
    hash: Buffer.from(String(i).padEnd(32)),
    tokenIds: new Int32Array(length).fill(i),
    truncated: false,
  }));

const lengthsOf = (lengths: number[], limits?: { tokens: number; contents: number }): number[][] =>
  cutParcels(contentsOf(lengths), limits).map(({ tokenIds }) => tokenIds.map((ids) => ids.length));

test('nearly one length a parcel, each as full as the limits allow', () => {
  expect(lengthsOf([1, 6, 2, 3, 5, 1], { tokens: 8, contents: 100 })).toEqual([[1, 1, 2, 3], [5], [6]]);
  expect(lengthsOf([1, 1, 1, 1, 1], { tokens: 8, contents: 2 })).toEqual([[1, 1], [1, 1], [1]]);
});

test('a content longer than the limit is a parcel of its own', () => {
  expect(lengthsOf([3, 20, 4], { tokens: 8, contents: 100 })).toEqual([[3, 4], [20]]);
  expect(lengthsOf([20], { tokens: 8, contents: 100 })).toEqual([[20]]);
});

test('no contents, no parcels', () => {
  expect(cutParcels([])).toEqual([]);
});

test('every content is in exactly one parcel, beside its own token ids, and no limit is passed', () => {
  const limits = { tokens: 50, contents: 5 };
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 60 }), (lengths) => {
      const contents = contentsOf(lengths);
      const parcels = cutParcels(contents, limits);
      const cut = parcels.flatMap(({ hashes, tokenIds }) =>
        hashes.map((hash, i) => ({ hash, tokenIds: tokenIds[i], truncated: false })),
      );
      const byHash = (a: { hash: Buffer }, b: { hash: Buffer }): number => Buffer.compare(a.hash, b.hash);
      expect(cut.toSorted(byHash)).toEqual(contents.toSorted(byHash));
      for (const { tokenIds } of parcels) {
        const tokens = tokenIds.reduce((sum, ids) => sum + ids.length, 0);
        expect(tokenIds.length === 1 || tokens <= limits.tokens).toBe(true);
        expect(tokenIds.length).toBeLessThanOrEqual(limits.contents);
      }
    }),
  );
});
