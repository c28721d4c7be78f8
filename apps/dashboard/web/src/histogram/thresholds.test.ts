import fc from 'fast-check';
import { expect, test } from 'vitest';
import { estimateFlagged, isEdge, thresholdAfter } from './thresholds.js';

test('keys move a threshold as they move any slider', () => {
  expect(thresholdAfter('ArrowRight', false, 0.5)).toBe(0.51);
  expect(thresholdAfter('ArrowLeft', true, 0.5)).toBe(0.499);
  expect(thresholdAfter('PageUp', false, 0.5)).toBe(0.6);
  expect(thresholdAfter('Home', false, 0.5)).toBe(0);
  expect(thresholdAfter('End', false, 0.5)).toBe(1);
  expect(thresholdAfter('a', false, 0.5)).toBeUndefined();
});

test('no key leaves the range, and steps do not add up to digits nobody asked for', () => {
  const key = fc.constantFrom('ArrowRight', 'ArrowLeft', 'PageUp', 'PageDown');
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean())), (presses) => {
      let threshold = 0.5;
      for (const [pressed, shift] of presses)
        threshold = thresholdAfter(pressed, shift, threshold) ?? Number.NaN;
      expect(threshold).toBeGreaterThanOrEqual(0);
      expect(threshold).toBeLessThanOrEqual(1);
      expect(String(threshold).length).toBeLessThanOrEqual(6);
    }),
  );
});

const BINS = 20;
const edges = Array.from({ length: BINS + 1 }, (_, i) => i / BINS);

function binned(scores: readonly number[]): { edges: number[]; counts: number[] } {
  const counts = new Array<number>(BINS).fill(0);
  for (const score of scores) {
    const bin = Math.min(
      BINS - 1,
      edges.findLastIndex((edge) => edge <= score),
    );
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  return { edges, counts };
}

const probabilities = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 200 });

test('at the edge of a bin it is exact', () => {
  fc.assert(
    fc.property(probabilities, fc.integer({ min: 0, max: BINS - 1 }), (scores, at) => {
      const threshold = edges[at] ?? 0;
      expect(isEdge(binned(scores), threshold)).toBe(true);
      expect(estimateFlagged(binned(scores), threshold)).toBe(
        scores.filter((score) => score >= threshold).length,
      );
    }),
  );
});

test('anywhere it is off by no more than the bin holds, and never grows with the threshold', () => {
  const threshold = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(probabilities, threshold, threshold, (scores, one, other) => {
      const histogram = binned(scores);
      const exact = scores.filter((score) => score >= one).length;
      const bin = Math.min(
        BINS - 1,
        edges.findLastIndex((edge) => edge <= one),
      );
      const estimate = estimateFlagged(histogram, one);
      expect(Math.abs(estimate - exact)).toBeLessThanOrEqual(histogram.counts[bin] ?? 0);
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      expect(estimateFlagged(histogram, low)).toBeGreaterThanOrEqual(estimateFlagged(histogram, high));
    }),
  );
});
