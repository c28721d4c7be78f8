import { expect, test } from 'vitest';
import { type Stratum, sampledRates } from './sampled-rates.js';
import { randomBelow } from './sampling.js';

const judged = (harmful: number, fine: number) => [
  ...Array.from({ length: harmful }, () => ({ rows: 1, harmful: 1 })),
  ...Array.from({ length: fine }, () => ({ rows: 1, harmful: 0 })),
];
const stratum = (rows: number, harmful: number, fine: number): Stratum => ({
  rows,
  judged: judged(harmful, fine),
});

test('fully judged strata give exact rates with zero-width intervals', () => {
  const [at] = sampledRates([stratum(10, 2, 8), stratum(6, 5, 1)], [1]);
  expect(at?.precision).toEqual({ value: 5 / 6, low: 5 / 6, high: 5 / 6 });
  expect(at?.recall).toEqual({ value: 5 / 7, low: 5 / 7, high: 5 / 7 });
});

test('strata are weighted by their rows, so uneven sampling does not bias the rates', () => {
  // 20 of 1,000 judged below, 20 of 40 above.
  const [at] = sampledRates([stratum(1_000, 1, 19), stratum(40, 16, 4)], [1]);
  expect(at?.precision?.value).toBeCloseTo(0.8, 10);
  // 1 + 980 / 20 below, 16 + 20 * 0.8 above.
  expect(at?.recall?.value).toBeCloseTo(32 / (32 + 50), 10);
  expect(at?.recall?.low).toBeLessThan(0.32);
  expect(at?.recall?.high).toBeGreaterThan(0.6);
});

test('rows that share a content are judged together, and disputed ones count as half', () => {
  const strata = [
    {
      rows: 100,
      judged: [
        { rows: 90, harmful: 1 },
        { rows: 10, harmful: 0.5 },
      ],
    },
  ];
  expect(sampledRates(strata, [0])[0]?.precision?.value).toBeCloseTo(0.95, 10);
});

test('rates are undefined for a side without judgements and for a threshold that flags nothing', () => {
  const strata = [stratum(1_000, 0, 0), stratum(40, 5, 5), stratum(0, 0, 0)];
  const [, middle, top] = sampledRates(strata, [0, 1, 2]);
  expect(middle?.precision).toBeDefined();
  expect(middle?.recall).toBeUndefined();
  expect(top).toEqual({ precision: undefined, recall: undefined });
  expect(sampledRates(strata, [0])[0]?.precision).toBeUndefined();
});

test('about 95 % of many samples have the true rate in their interval', () => {
  const below = randomBelow(11);
  const truth = [
    { rows: 2_000, share: 0.05 },
    { rows: 300, share: 0.5 },
    { rows: 200, share: 0.9 },
  ];
  const harmful = truth.map(({ rows, share }) => rows * share);
  const all = harmful.reduce((total, rows) => total + rows, 0);
  const expected = {
    precision: ((harmful[1] ?? 0) + (harmful[2] ?? 0)) / 500,
    recall: 1 - (harmful[0] ?? 0) / all,
  };
  const hits = { precision: 0, recall: 0 };
  const samples = 200;
  for (let sample = 0; sample < samples; sample++) {
    const strata = truth.map(({ rows, share }) => {
      const found = Array.from({ length: 40 }, () => (below(rows) < rows * share ? 1 : 0));
      return { rows, judged: found.map((one) => ({ rows: 1, harmful: one })) };
    });
    const [at] = sampledRates(strata, [1], { draws: 400, seed: sample });
    for (const measure of ['precision', 'recall'] as const) {
      const { low = 1, high = 0 } = at?.[measure] ?? {};
      if (low <= expected[measure] && expected[measure] <= high) hits[measure] += 1;
    }
  }
  expect(hits.precision / samples).toBeGreaterThan(0.9);
  expect(hits.recall / samples).toBeGreaterThan(0.9);
});
