import { expect, test } from 'vitest';
import { edgesOf, estimatesAt } from './summary-routes.js';

const judged = (score: number, verdict: 'harmful' | 'fine', seq = 1) => ({
  seq,
  key: String(seq),
  score,
  rows: 1,
  json: null,
  verdicts: [{ reviewer: 'a', verdict }],
});

test('edges are every twentieth and every policy, once each, as 32-bit numbers', () => {
  const edges = edgesOf([0.1, 0.123, 0, 1]);
  expect(edges).toHaveLength(22);
  expect(edges[0]).toBe(0);
  expect(edges.at(-1)).toBe(1);
  expect(edges).toContain(Math.fround(0.123));
});

test('a score that is just the threshold is above it, and thresholds read as people write them', () => {
  const edges = edgesOf([0.123]);
  const rows = edges.slice(1).map(() => 0);
  const at = (score: number) =>
    rows.with(
      edges.findLastIndex((edge) => edge <= Math.fround(score)),
      1,
    );
  const answer = estimatesAt(edges, at(0.1), [judged(Math.fround(0.1), 'harmful')]);
  expect(answer.map(({ threshold }) => threshold).slice(0, 4)).toEqual([0.05, 0.1, 0.123, 0.15]);
  expect(answer[1]).toMatchObject({ flagged: 1, precision: { value: 1 }, recall: { value: 1 } });
  expect(answer[2]).toMatchObject({ flagged: 0, precision: null });
});
