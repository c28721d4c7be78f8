import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type ComparedRow, differenceHistogram, drift, mcnemarExact } from './drift.js';

const HALF = { a: 0.5, b: 0.5 };

test('a guard does not drift from itself', () => {
  const rows = [0.1, 0.5, 0.9].map((score, i) => ({ key: String(i), a: score, b: score }));
  expect(drift(rows, HALF)).toMatchObject({
    rows: 3,
    maxDifference: 0,
    meanDifference: 0,
    equal: 3,
    flips: { toHarmful: 0, toSafe: 0 },
    flagged: { a: 2, b: 2 },
    pearson: 1,
    spearman: 1,
    largest: [],
    labelled: undefined,
  });
});

test('worked example with some labels and a threshold per guard', () => {
  const rows: ComparedRow[] = [
    { key: 'up', a: 0.4, b: 0.7, label: 1 },
    { key: 'down', a: 0.8, b: 0.5, label: 1 },
    { key: 'far', a: 0.1, b: 0.5, label: 0 },
    { key: 'same', a: 0.9, b: 0.9 },
  ];
  const measured = drift(rows, { a: 0.5, b: 0.6 });
  expect(measured.flips).toEqual({ toHarmful: 1, toSafe: 1 });
  expect(measured.flagged).toEqual({ a: 2, b: 2 });
  expect(measured.maxDifference).toBeCloseTo(0.4, 12);
  expect(measured.meanDifference).toBeCloseTo(0.25, 12);
  expect(measured.meanShift).toBeCloseTo(0.1, 12);
  expect(measured.largest.map(({ key }) => key)[0]).toBe('far');
  expect(measured.labelled).toMatchObject({
    rows: 3,
    harmful: 2,
    a: { recall: 0.5 },
    b: { recall: 0.5 },
    paired: { bothRight: 1, onlyARight: 1, onlyBRight: 1, bothWrong: 0, pValue: 1 },
  });
});

test('swapping the guards swaps their results', () => {
  const score = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(score, score), { minLength: 1, maxLength: 30 }), (pairs) => {
      const one = drift(
        pairs.map(([a, b], i) => ({ key: String(i), a, b })),
        HALF,
      );
      const other = drift(
        pairs.map(([b, a], i) => ({ key: String(i), a, b })),
        HALF,
      );
      expect(other.flips).toEqual({ toHarmful: one.flips.toSafe, toSafe: one.flips.toHarmful });
      expect(other.maxDifference).toBe(one.maxDifference);
      expect(other.histogram).toEqual(one.histogram);
      expect(one.histogram.reduce((sum, { rows }) => sum + rows, 0)).toBe(pairs.length);
    }),
  );
});

test('a difference on an edge falls into the bin that starts there', () => {
  const binOf = (difference: number) => differenceHistogram(Float64Array.of(difference)).find((b) => b.rows);
  expect(binOf(0)).toMatchObject({ from: 0, to: 1e-7 });
  expect(binOf(1e-7)).toMatchObject({ from: 1e-7, to: 3e-7 });
  expect(binOf(0.001)).toMatchObject({ from: 0.001, to: 0.003 });
  expect(binOf(0.5)).toMatchObject({ from: 0.3, to: 1 });
  expect(binOf(1)).toMatchObject({ from: 0.3, to: 1 });
});

test.each([
  [0, 0, 1],
  [5, 5, 1],
  [0, 10, 2 / 1024],
  [2, 8, (2 * (1 + 10 + 45)) / 1024],
])('McNemar: %i against %i', (a, b, p) => {
  expect(mcnemarExact(a, b)).toBeCloseTo(p, 12);
  expect(mcnemarExact(b, a)).toBe(mcnemarExact(a, b));
});

test('McNemar of very many rows is not NaN', () => {
  expect(mcnemarExact(5000, 5000)).toBeCloseTo(1, 6);
  expect(mcnemarExact(0, 5000)).toBe(0);
});
