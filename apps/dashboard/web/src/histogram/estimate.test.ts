import fc from 'fast-check';
import { expect, test } from 'vitest';
import { estimateFlagged, isEdge } from './estimate.js';

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
