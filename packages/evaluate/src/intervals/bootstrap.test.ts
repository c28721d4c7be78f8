import { expect, test } from 'vitest';
import { type EvaluatedRow, evaluate } from '../measures/evaluate.js';
import { type Labelled, labelled, tallyOf } from '../measures/tally.js';
import { bootstrap, INTERVAL_MEASURES } from './bootstrap.js';
import { randomBelow } from './sampling.js';

function noisy(rows: number, seed = 3): Labelled {
  const random = randomBelow(seed);
  const labels = Array.from({ length: rows }, () => random(2));
  return labelled(
    labels.map((label) => (random(600) + 400 * label) / 1000),
    labels,
  );
}

const run = (rows: Labelled, seed: number, threshold = 0.5, resamples = 300) =>
  bootstrap(rows, tallyOf(rows), { threshold, seed, resamples });

test('the seed determines the result', () => {
  const rows = noisy(200);
  expect(run(rows, 7)).toEqual(run(rows, 7));
  expect(run(rows, 7)).not.toEqual(run(rows, 8));
});

test('an interval contains the measure and narrows with more rows', () => {
  const widths = [100, 1600].map((count) => {
    const data = noisy(count);
    const rows = Array.from(data.scores, (score, i): EvaluatedRow => {
      return { key: String(i), score, label: data.labels[i] === 1 ? 1 : 0 };
    });
    const { measures } = evaluate(rows, { threshold: 0.5, resamples: 0 });
    const intervals = run(data, 1);
    for (const measure of INTERVAL_MEASURES) {
      const { low = 2, high = -1 } = intervals[measure] ?? {};
      expect(low).toBeLessThanOrEqual(measures[measure] ?? -1);
      expect(high).toBeGreaterThanOrEqual(measures[measure] ?? 2);
    }
    return (intervals.macroF1?.high ?? 0) - (intervals.macroF1?.low ?? 0);
  });
  // Four times the standard error with a sixteenth of the rows.
  expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeGreaterThan(2.5);
  expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeLessThan(6);
});

test('the interval of a share matches the binomial distribution', () => {
  // 400 harmful rows, of which 300 are flagged: recall 0.75, standard error sqrt(0.75 * 0.25 / 400) = 0.0217.
  const scores = Array.from({ length: 800 }, (_, i) => (i < 300 ? 0.9 : 0.1));
  const rows = labelled(
    scores,
    scores.map((_, i) => (i < 400 ? 1 : 0)),
  );
  const { recall } = run(rows, 1, 0.5, 2000);
  expect(recall?.low).toBeCloseTo(0.75 - 1.96 * 0.02165, 2);
  expect(recall?.high).toBeCloseTo(0.75 + 1.96 * 0.02165, 2);
});

test('resamples where the measure is undefined are counted and excluded', () => {
  const rows = labelled([0.9, 0.1, 0.2], [1, 0, 0]);
  const { auc, precision } = run(rows, 1);
  // (2/3)^3 of the resamples have no harmful row, (1/3)^3 no safe one.
  expect(auc?.undefinedIn).toBeGreaterThan(60);
  expect(auc?.undefinedIn).toBeLessThan(140);
  expect(auc).toMatchObject({ low: 1, high: 1 });
  expect(precision).toMatchObject({ low: 1, high: 1 });
});

test('a measure that is undefined everywhere has no interval', () => {
  const intervals = run(labelled([0.9, 0.1], [1, 1]), 1);
  expect(intervals).toMatchObject({ auc: undefined, macroF1: undefined });
  expect(intervals.recall).toBeDefined();
});
