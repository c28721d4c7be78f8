import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planPasses } from './plan-passes.js';

const LIMIT = 16;
const rows = fc.array(
  fc.record({ from: fc.nat(20), count: fc.nat(50) }).map(({ from, count }) => ({ from, to: from + count })),
  { maxLength: 12 },
);

test('every new token is in exactly one pass, after those before it, and no pass is too large', () => {
  fc.assert(
    fc.property(rows, (given) => {
      const next = given.map(({ from }) => from);
      for (const pass of planPasses(given, LIMIT)) {
        expect(pass.length).toBeGreaterThan(0);
        expect(pass.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(LIMIT);
        expect(new Set(pass.map(({ row }) => row)).size).toBe(pass.length);
        for (const { row, from, count } of pass) {
          expect(from).toBe(next[row]);
          expect(count).toBeGreaterThan(0);
          next[row] = from + count;
        }
      }
      expect(next).toEqual(given.map(({ to }) => to));
    }),
  );
});

test('rows that fit share a pass', () => {
  expect(
    planPasses(
      [
        { from: 3, to: 11 },
        { from: 0, to: 2 },
        { from: 5, to: 5 },
        { from: 0, to: 6 },
      ],
      LIMIT,
    ),
  ).toEqual([
    [
      { row: 1, from: 0, count: 2 },
      { row: 3, from: 0, count: 6 },
      { row: 0, from: 3, count: 8 },
    ],
  ]);
});

test('a row longer than a pass takes several', () => {
  expect(planPasses([{ from: 2, to: 40 }], LIMIT)).toEqual([
    [{ row: 0, from: 2, count: 16 }],
    [{ row: 0, from: 18, count: 16 }],
    [{ row: 0, from: 34, count: 6 }],
  ]);
});
