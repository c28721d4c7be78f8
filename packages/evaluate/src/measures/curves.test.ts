import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bothClasses } from '../testing/arbitraries.js';
import { auc, rocCurve } from './curves.js';
import { type Labelled, tallyOf } from './tally.js';

/** The definition: the share of pairs of a harmful and a safe row in the right order, ties counting half. */
function aucOfPairs({ scores, labels }: Labelled): number {
  let won = 0;
  let pairs = 0;
  for (const [i, high] of scores.entries()) {
    for (const [j, low] of scores.entries()) {
      if (labels[i] !== 1 || labels[j] !== 0) continue;
      pairs += 1;
      if (high > low) won += 1;
      else if (high === low) won += 0.5;
    }
  }
  return won / pairs;
}

test('AUC is exactly the share of correctly ordered pairs', () => {
  fc.assert(fc.property(bothClasses, (rows) => auc(tallyOf(rows)) === aucOfPairs(rows)));
});

test('AUC depends only on the order of the scores', () => {
  fc.assert(
    fc.property(bothClasses, (rows) => {
      // Ranks are a monotone map that merges no two scores by rounding.
      const distinct = [...new Set(rows.scores)].sort((a, b) => a - b);
      const ranks = rows.scores.map((score) => distinct.indexOf(score) / distinct.length);
      expect(auc(tallyOf({ ...rows, scores: ranks }))).toBe(auc(tallyOf(rows)));
    }),
  );
});

test('with labels swapped, AUC becomes 1 - AUC', () => {
  fc.assert(
    fc.property(bothClasses, (rows) => {
      const swapped = { ...rows, labels: rows.labels.map((label) => 1 - label) };
      expect(auc(tallyOf(swapped))).toBeCloseTo(1 - (auc(tallyOf(rows)) ?? Number.NaN), 12);
    }),
  );
});

test('the curve runs from (0, 0) to (1, 1), never backwards, with AUC below it', () => {
  fc.assert(
    fc.property(bothClasses, (rows) => {
      const points = rocCurve(tallyOf(rows)) ?? [];
      expect(points[0]).toMatchObject({ falsePositiveRate: 0, truePositiveRate: 0 });
      expect(points.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
      let area = 0;
      for (const [i, point] of points.entries()) {
        const last = points[i - 1];
        if (last === undefined) continue;
        expect(point.threshold).toBeLessThan(last.threshold);
        const width = point.falsePositiveRate - last.falsePositiveRate;
        expect(width).toBeGreaterThanOrEqual(0);
        expect(point.truePositiveRate).toBeGreaterThanOrEqual(last.truePositiveRate);
        area += (width * (point.truePositiveRate + last.truePositiveRate)) / 2;
      }
      expect(area).toBeCloseTo(auc(tallyOf(rows)) ?? Number.NaN, 12);
    }),
  );
});

test('both are undefined with a single class', () => {
  const tally = tallyOf({ scores: Float64Array.of(0.2, 0.8), labels: Uint8Array.of(1, 1) });
  expect(auc(tally)).toBeUndefined();
  expect(rocCurve(tally)).toBeUndefined();
});
