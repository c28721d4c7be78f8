import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunBatch } from '../process/engine.js';
import { Batcher } from './batcher.js';
import type { RowOutcome } from './lanes.js';
import type { CostModel } from './plan-batches.js';

const MODEL: CostModel = { budgetTokens: 12, overheadMs: 10, tokenMs: 1, cellMs: 0.1 };

/** A row whose first token is its number, from 1: token 0 is the batcher's own probe. */
const row = (number: number, length = 1): Int32Array => new Int32Array(length).fill(number);
const scoreOf = (number: number): number => Math.fround(number / 1000);

interface FakeEngine {
  run: RunBatch;
  /** The rows of each pass by number, and the number of passes in flight when it started. */
  passes: { rows: number[]; beside: number }[];
  /** Maximum number of passes in flight. */
  most: number;
}

/**
 * An engine that answers after a few turns of the event loop.
 * @param fails selects passes that fail; with `dies`, everything in flight fails too, as when the process dies
 */
function fakeEngine(
  fails: (rows: number[], pass: number) => boolean = () => false,
  dies = false,
): FakeEngine {
  let inFlight = new Set<(error: Error) => void>();
  const engine: FakeEngine = {
    passes: [],
    most: 0,
    run: async (tokenIds, lengths) => {
      const rows: number[] = [];
      let at = 0;
      for (const length of lengths) {
        rows.push(tokenIds[at] ?? -1);
        at += length;
      }
      const pass = engine.passes.push({ rows, beside: inFlight.size }) - 1;
      return new Promise((resolve, reject) => {
        inFlight.add(reject);
        engine.most = Math.max(engine.most, inFlight.size);
        void nextTurn().then(async () => {
          for (const _ of rows) await nextTurn();
          if (!inFlight.delete(reject)) return;
          if (!fails(rows, pass)) {
            resolve({ scores: Float32Array.from(rows, scoreOf), runMs: 1 });
            return;
          }
          const error = new Error(`died over ${rows.length} rows`);
          reject(error);
          if (!dies) return;
          for (const other of inFlight) other(error);
          inFlight = new Set();
        });
      });
    },
  };
  return engine;
}

/** The numbers of a run's rows, 1 to `count`, and those that kill the engine. */
const runs = fc.integer({ min: 1, max: 40 }).chain((count) =>
  fc.record({
    lengths: fc.array(fc.integer({ min: 1, max: 14 }), { minLength: count, maxLength: count }),
    poison: fc.uniqueArray(fc.integer({ min: 1, max: count }), { maxLength: 6 }),
    dies: fc.boolean(),
  }),
);

test('scores come in the order of the rows, and no more than two passes are ever in flight', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ lengths }) => {
      const engine = fakeEngine();
      const batcher = new Batcher(engine.run, MODEL);
      const outcomes = await batcher.score(lengths.map((length, i) => row(i + 1, length)));
      expect(outcomes).toEqual(lengths.map((_, i) => ({ score: scoreOf(i + 1) })));
      expect(engine.most).toBe(Math.min(2, engine.passes.length));
      expect(batcher.counts).toEqual({
        passes: engine.passes.length,
        tokens: lengths.reduce((sum, length) => sum + length, 0),
        runMs: engine.passes.length,
      });
    }),
  );
});

test('poison rows are found, they alone err, and what failed runs with nothing beside it', async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ lengths, poison, dies }) => {
      const failed = new Set<number>();
      const engine = fakeEngine((rows) => {
        const fails = rows.some((number) => poison.includes(number));
        if (fails) for (const number of rows) failed.add(number);
        return fails;
      }, dies);
      const outcomes = await new Batcher(engine.run, MODEL).score(
        lengths.map((length, i) => row(i + 1, length)),
      );
      expect(outcomes).toEqual(
        lengths.map((_, i) =>
          poison.includes(i + 1) ? { error: 'died over 1 rows' } : { score: scoreOf(i + 1) },
        ),
      );
      expect(engine.most).toBeLessThanOrEqual(2);
      const seen = new Set<number>();
      for (const { rows, beside } of engine.passes) {
        if (rows.some((number) => seen.has(number))) expect(beside).toBe(0);
        for (const number of rows) seen.add(number);
      }
    }),
  );
});

test('a row is not blamed for what runs beside it: two single batches, one of them kills the process', async () => {
  const engine = fakeEngine((rows) => rows.includes(1), true);
  const outcomes = await new Batcher(engine.run, MODEL).score([row(1, 12), row(2, 12)]);
  expect(outcomes).toEqual([{ error: 'died over 1 rows' }, { score: scoreOf(2) }]);
});

test('a process that was killed once costs nothing but a repetition', async () => {
  const engine = fakeEngine((_rows, pass) => pass === 1, true);
  const rows = Array.from({ length: 30 }, (_, i) => row(i + 1, 3));
  const outcomes = await new Batcher(engine.run, MODEL).score(rows);
  expect(outcomes).toEqual(rows.map((_, i) => ({ score: scoreOf(i + 1) })));
});

test('callers share passes, and a poison row of one is no matter to the other', async () => {
  const engine = fakeEngine((rows) => rows.includes(7));
  const batcher = new Batcher(engine.run, { ...MODEL, budgetTokens: 1000, overheadMs: 1e6 });
  const first = batcher.score([row(1)]);
  const [a, b] = [batcher.score([row(2), row(7)]), batcher.score([row(3)])];
  expect(await first).toEqual([{ score: scoreOf(1) }]);
  expect(await a).toEqual([{ score: scoreOf(2) }, { error: 'died over 1 rows' }]);
  expect(await b).toEqual([{ score: scoreOf(3) }]);
  expect(engine.passes[0]?.rows).toEqual([1]);
});

test('an engine that fails on everything blames no row, whoever waits is told, and it may come back', async () => {
  let broken = true;
  const engine = fakeEngine(() => broken);
  const batcher = new Batcher(engine.run, MODEL);
  const waiting = [
    batcher.score([row(1)]),
    batcher.score(Array.from({ length: 50 }, (_, i) => row(i + 2, 5))),
  ];
  for (const scored of waiting) {
    await expect(scored).rejects.toThrow('the engine fails on every row: died over 1 rows');
  }
  expect(engine.passes.length).toBeLessThan(8);
  broken = false;
  expect(await batcher.score([row(4)])).toEqual([{ score: scoreOf(4) }]);
});

test('an engine that breaks in mid-run: who has a score keeps it, the others are told', async () => {
  const engine = fakeEngine((_rows, pass) => pass >= 4);
  const batcher = new Batcher(engine.run, MODEL);
  const each = Array.from({ length: 10 }, (_, i) => batcher.score([row(i + 1, 12)]));
  const settled = await Promise.allSettled<RowOutcome[]>(each);
  const done = settled.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  expect(done).toEqual([1, 2, 3, 4].map((number) => ({ score: scoreOf(number) })));
});

test('fewer scores than rows is a defect, not a score', async () => {
  const batcher = new Batcher(async () => ({ scores: Float32Array.of(0.5), runMs: 1 }), MODEL);
  await expect(batcher.score([row(1), row(2)])).rejects.toThrow('2 rows gave 1 scores');
});

test('no rows, no pass', async () => {
  const engine = fakeEngine();
  expect(await new Batcher(engine.run, MODEL).score([])).toEqual([]);
  expect(engine.passes).toEqual([]);
});
