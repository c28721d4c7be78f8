import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { distributionCases } from '../testing/golden.js';
import { DistributionDrift, populationStabilityIndex, scoreBin } from './distribution-drift.js';

function driftOf(before: readonly number[], now: readonly number[]): DistributionDrift {
  const counts = new Map<number, { before: number; now: number }>();
  const count = (scores: readonly number[], side: 'before' | 'now'): void => {
    for (const score of scores) {
      const entry = counts.get(score) ?? { before: 0, now: 0 };
      entry[side]++;
      counts.set(score, entry);
    }
  };
  count(before, 'before');
  count(now, 'now');
  const drift = new DistributionDrift({ before: before.length, now: now.length });
  const ascending = [...counts].sort(([a], [b]) => a - b);
  for (const [score, entry] of ascending) drift.add({ score, ...entry });
  return drift;
}

describe.each(distributionCases())('$name matches scipy', ({ before, now, ...expected }) => {
  const drift = driftOf(before, now);
  test('Kolmogorov-Smirnov distance', () => {
    expect(drift.kolmogorovSmirnov).toBeCloseTo(expected.kolmogorovSmirnov, 12);
  });
  test('population stability index', () => {
    expect(drift.populationStability).toBeCloseTo(expected.populationStability, 10);
  });
});

const scores = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 });

test('the same distribution has no drift, whatever the number of rows', () => {
  fc.assert(
    fc.property(scores, (list) => {
      const drift = driftOf(list, [...list, ...list]);
      expect(drift.kolmogorovSmirnov).toBeCloseTo(0, 12);
      expect(driftOf(list, list).populationStability).toBe(0);
    }),
  );
});

test('both measures are symmetric, and the bins hold every row', () => {
  fc.assert(
    fc.property(scores, scores, (a, b) => {
      const [there, back] = [driftOf(a, b), driftOf(b, a)];
      expect(back.kolmogorovSmirnov).toBeCloseTo(there.kolmogorovSmirnov ?? -1, 12);
      expect(back.populationStability).toBeCloseTo(there.populationStability ?? -1, 10);
      expect(there.histogram.before.reduce((sum, rows) => sum + rows, 0)).toBe(a.length);
      expect(there.histogram.now.reduce((sum, rows) => sum + rows, 0)).toBe(b.length);
    }),
  );
});

test('the first bin includes 0, the last includes 1', () => {
  expect([0, 0.0499, 0.05, 0.95, 1].map(scoreBin)).toEqual([0, 0, 1, 19, 19]);
});

test('drift is undefined when one side has no rows', () => {
  const drift = driftOf([], [0.5]);
  expect(drift.kolmogorovSmirnov).toBeUndefined();
  expect(drift.populationStability).toBeUndefined();
  expect(drift.histogram.now[10]).toBe(1);
});

test('rejects scores out of order or out of range, and histograms of different sizes', () => {
  const drift = new DistributionDrift({ before: 1, now: 1 });
  drift.add({ score: 0.5, before: 1, now: 0 });
  expect(() => drift.add({ score: 0.4, before: 0, now: 1 })).toThrow(/must ascend, received 0.4 after 0.5/);
  expect(() => drift.add({ score: 1.5, before: 0, now: 1 })).toThrow(/from 0 to 1, received 1.5/);
  expect(() => populationStabilityIndex([1], [1, 2])).toThrow(/received 1 and 2/);
});
