import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CostModel, costOf, planBatches } from './plan-batches.js';

const models: fc.Arbitrary<CostModel> = fc.record({
  budgetTokens: fc.integer({ min: 1, max: 2000 }),
  overheadMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 200, noNaN: true })),
  tokenMs: fc.double({ min: 0, max: 3, noNaN: true }),
  cellMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 0.01, noNaN: true })),
});
const lengths = (most: number) => fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: most });

const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
const costOfBatch = (model: CostModel, batch: number[]): number =>
  costOf(model, batch.length, sum(batch), Math.max(...batch));

/** The lengths in each batch, and the total cost. */
function planned(rows: number[], model: CostModel): { batches: number[][]; cost: number } {
  const batches = planBatches(rows, model).map((batch) => batch.map((i) => rows[i] ?? Number.NaN));
  return { batches, cost: sum(batches.map((batch) => costOfBatch(model, batch))) };
}

test('every row is in one batch, and the budget holds for all but single rows', () => {
  fc.assert(
    fc.property(lengths(80), models, (rows, model) => {
      const indices = planBatches(rows, model).flat();
      expect(indices.toSorted((a, b) => a - b)).toEqual(rows.map((_, i) => i));
      const { batches } = planned(rows, model);
      expect(batches.flat()).toEqual(rows.toSorted((a, b) => a - b));
      for (const batch of batches) {
        expect(batch.length === 1 || sum(batch) <= model.budgetTokens).toBe(true);
      }
    }),
  );
});

test('it never costs more than filling one batch after another', () => {
  fc.assert(
    fc.property(lengths(80), models, (rows, model) => {
      const greedy: number[][] = [];
      for (const row of rows.toSorted((a, b) => a - b)) {
        const last = greedy.at(-1);
        if (last !== undefined && sum(last) + row <= model.budgetTokens) last.push(row);
        else greedy.push([row]);
      }
      const cost = sum(greedy.map((batch) => costOfBatch(model, batch)));
      expect(planned(rows, model).cost).toBeLessThanOrEqual(cost * (1 + 1e-9));
    }),
  );
});

test('of all cuts of the sorted rows none costs less', () => {
  fc.assert(
    fc.property(lengths(10), models, (rows, model) => {
      fc.pre(rows.length > 0);
      const sorted = rows.toSorted((a, b) => a - b);
      let least = Number.POSITIVE_INFINITY;
      for (let cuts = 0; cuts < 2 ** (sorted.length - 1); cuts++) {
        const batches: number[][] = [[]];
        for (const [i, row] of sorted.entries()) {
          batches.at(-1)?.push(row);
          if ((cuts >> i) & 1) batches.push([]);
        }
        const allowed = batches.every((batch) => batch.length === 1 || sum(batch) <= model.budgetTokens);
        if (allowed) least = Math.min(least, sum(batches.map((batch) => costOfBatch(model, batch))));
      }
      expect(planned(rows, model).cost).toBeCloseTo(least, 6);
    }),
    { numRuns: 60 },
  );
});

test('rows of like length go together, where padding costs more than another pass', () => {
  const model = { budgetTokens: 4096, overheadMs: 20, tokenMs: 1, cellMs: 0.001 };
  expect(planned([500, 10, 490, 12], model).batches).toEqual([
    [10, 12],
    [490, 500],
  ]);
  expect(planned([500, 10, 490, 12], { ...model, overheadMs: 5000 }).batches).toEqual([[10, 12, 490, 500]]);
});

test('rows of nearly one length go together even where a busy machine seemed to have no cost per pass', () => {
  const model: CostModel = { budgetTokens: 512, overheadMs: 0, tokenMs: 20, cellMs: 0.0005 };
  expect(planned([30, 31, 32, 33, 34, 35], model).batches).toEqual([[30, 31, 32, 33, 34, 35]]);
});
