import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bothClasses } from '../testing/arbitraries.js';
import { brierScore, calibrationBins, expectedCalibrationError } from './calibration.js';
import { labelled } from './tally.js';

test('each row falls into the bin of its score', () => {
  fc.assert(
    fc.property(bothClasses, fc.integer({ min: 1, max: 30 }), (rows, bins) => {
      const binned = calibrationBins(rows, bins);
      for (const [i, { from, to, rows: count }] of binned.entries()) {
        const inside = rows.scores.filter(
          (score) => (score > from || (i === 0 && score === 0)) && score <= to,
        );
        expect(count).toBe(inside.length);
      }
    }),
  );
});

test('an edge belongs to the bin below it, however the division rounds', () => {
  for (let i = 1; i <= 15; i++) {
    const bins = calibrationBins(labelled([i / 15], [1]));
    expect(bins.findIndex(({ rows }) => rows === 1)).toBe(i - 1);
  }
});

test('perfectly calibrated scores have no calibration error', () => {
  const rows = labelled(
    Array.from({ length: 10 }, () => 0.3),
    [1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
  );
  expect(expectedCalibrationError(calibrationBins(rows))).toBeCloseTo(0, 12);
  expect(brierScore(rows)).toBeCloseTo(0.21, 12);
});

test('both are undefined without rows', () => {
  expect(brierScore(labelled([], []))).toBeUndefined();
  expect(expectedCalibrationError(calibrationBins(labelled([], [])))).toBeUndefined();
});
