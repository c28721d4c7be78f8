import { setImmediate as nextTurn } from 'node:timers/promises';
import type { LaneName } from '@tocsin/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type SerialEngine, scoreOf, serialEngine } from '../testing/serial-engine.js';
import { Batcher, type Pass } from './batcher.js';
import { MOST_EXPRESS_IN_A_ROW, type RowOutcome } from './lanes.js';
import type { CostModel } from './plan-batches.js';

/** Bulk rows are numbered from 1, express rows from here; token 0 is the batcher's own probe. */
const FIRST_EXPRESS = 500;
const BULK_TOKENS = 10;
/** A bulk row fills a pass, and all waiting express rows fit into one. */
const MODEL: CostModel = { budgetTokens: BULK_TOKENS, overheadMs: 1e6, tokenMs: 1, cellMs: 0 };

const isExpress = (rows: number[]): boolean => (rows[0] ?? 0) >= FIRST_EXPRESS;
const bulk = (number: number): Int32Array => new Int32Array(BULK_TOKENS).fill(number);
const express = (number: number): Int32Array => Int32Array.of(FIRST_EXPRESS + number);
const score = (batcher: Batcher, rows: Int32Array[], lane: LaneName): Promise<RowOutcome[]> =>
  batcher.score(rows, { lane });

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

test('an express row overtakes the bulk batch that waits in the engine process', async () => {
  const engine = serialEngine(20);
  const batcher = new Batcher(engine.run, MODEL);
  const bulkDone = score(batcher, [1, 2, 3].map(bulk), 'bulk');
  await turns(5);
  expect(await score(batcher, [express(1)], 'express')).toEqual([{ score: scoreOf(FIRST_EXPRESS + 1) }]);
  expect(engine.passes.map(({ rows }) => rows)).toEqual([[1], [FIRST_EXPRESS + 1]]);
  expect(await bulkDone).toEqual([1, 2, 3].map((number) => ({ score: scoreOf(number) })));
  expect(engine.passes.map(({ rows }) => rows[0])).toEqual([1, FIRST_EXPRESS + 1, 2, 3]);
});

test('express rows that come while a pass runs share the next one', async () => {
  const engine = serialEngine(20);
  const batcher = new Batcher(engine.run, MODEL);
  const bulkDone = score(batcher, [1, 2].map(bulk), 'bulk');
  const expressDone = [];
  for (let i = 0; i < 5; i++) {
    await turns(2);
    expressDone.push(score(batcher, [express(i)], 'express'));
  }
  await Promise.all([bulkDone, ...expressDone]);
  expect(engine.passes.map(({ rows }) => rows)).toEqual([
    [1],
    [0, 1, 2, 3, 4].map((i) => FIRST_EXPRESS + i),
    [2],
  ]);
});

test('an express row on an idle engine leaves at once, and bulk is on its way behind it', async () => {
  const engine = serialEngine(5);
  const batcher = new Batcher(engine.run, MODEL);
  await Promise.all([score(batcher, [express(0)], 'express'), score(batcher, [bulk(1), bulk(2)], 'bulk')]);
  expect(engine.passes.map(({ rows, behind }) => [rows[0], behind])).toEqual([
    [FIRST_EXPRESS, 1],
    [1, 1],
    [2, 0],
  ]);
});

test('bulk has its turn under express rows without end', async () => {
  const engine = serialEngine(3);
  const batcher = new Batcher(engine.run, MODEL);
  const bulkDone = score(batcher, [1, 2, 3].map(bulk), 'bulk');
  const expressDone: Promise<RowOutcome[]>[] = [];
  let over = false;
  const asking = (async () => {
    while (!over) {
      expressDone.push(score(batcher, [express(expressDone.length)], 'express'));
      await nextTurn();
    }
  })();
  await bulkDone;
  over = true;
  await asking;
  await Promise.all(expressDone);
  const order = engine.passes.map(({ rows }) => (isExpress(rows) ? 'e' : 'b')).join('');
  expect(order).toMatch(/^e?beeebeeebe*$/);
});

/** Sequential passes as in calibration, with rows numbered from 900. */
async function timePasses(batcher: Batcher, count: number): Promise<void> {
  for (let pass = 0; pass < count; pass++)
    await batcher.time(
      new Int32Array(2 * BULK_TOKENS).fill(900 + pass),
      Int32Array.of(BULK_TOKENS, BULK_TOKENS),
    );
}

test('passes that are made for their time are bulk: express rows wait for no more than one, bulk goes on beside them', async () => {
  const engine = serialEngine(20);
  const told: Pass[] = [];
  const batcher = new Batcher(engine.run, MODEL, (pass) => told.push(pass));
  const bulkDone = score(batcher, [1, 2, 3, 4].map(bulk), 'bulk');
  const timed = timePasses(batcher, 3);
  await turns(5);
  const before = engine.passes.length;
  await score(batcher, [express(1)], 'express');
  expect(engine.passes.map(({ rows }) => rows)[before]).toEqual([FIRST_EXPRESS + 1]);
  await Promise.all([bulkDone, timed]);
  const order = engine.passes.map(({ rows }) => rows[0] ?? 0);
  expect(order.toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, FIRST_EXPRESS + 1, 900, 901, 902]);
  // Not split, however small the budget.
  expect(engine.passes.find(({ rows }) => rows[0] === 900)?.rows).toEqual([900, 900]);
  // Not consecutively while bulk waits.
  expect(order.indexOf(3)).toBeLessThan(order.indexOf(902));
  expect(told).toHaveLength(5);
  expect(batcher.counts).toMatchObject({ passes: 5 });
});

test('a pass that is made for its time and fails is not tried again, and costs no row', async () => {
  const engine = serialEngine(5, (rows) => rows[0] === 900);
  const batcher = new Batcher(engine.run, MODEL);
  const bulkDone = score(batcher, [1, 2].map(bulk), 'bulk');
  await expect(timePasses(batcher, 2)).rejects.toThrow('died');
  expect(await bulkDone).toEqual([1, 2].map((number) => ({ score: scoreOf(number) })));
  expect(engine.passes.filter(({ rows }) => rows[0] === 900)).toHaveLength(1);
});

/** The schedule: rows of a lane, and the turn of the event loop at which they arrive. */
const arrivals = fc.array(
  fc.record({
    lane: fc.constantFrom<LaneName>('express', 'bulk'),
    rows: fc.integer({ min: 1, max: 3 }),
    after: fc.integer({ min: 0, max: 12 }),
  }),
  { minLength: 1, maxLength: 25 },
);

interface Played {
  engine: SerialEngine;
  outcomes: Map<number, RowOutcome>;
  /** Bulk passes that started between an express row's arrival and its own pass. */
  bulkBefore: Map<number, number>;
  /** Consecutive express passes while bulk waited. */
  expressInARow: number[];
}

async function play(
  steps: { lane: LaneName; rows: number; after: number }[],
  passTurns: number,
  isPoison: (number: number) => boolean = () => false,
): Promise<Played> {
  const engine = serialEngine(passTurns, (rows) => rows.some(isPoison));
  const batcher = new Batcher(engine.run, MODEL);
  const played: Played = { engine, outcomes: new Map(), bulkBefore: new Map(), expressInARow: [] };
  const waits = { express: new Map<number, number>(), bulk: new Set<number>() };
  let inARow = 0;
  engine.onPass = (rows) => {
    if (rows[0] === 0) return;
    if (isExpress(rows)) {
      inARow = waits.bulk.size > 0 ? inARow + 1 : 0;
      played.expressInARow.push(inARow);
      for (const number of rows) {
        if (!played.bulkBefore.has(number)) played.bulkBefore.set(number, waits.express.get(number) ?? 0);
        waits.express.delete(number);
      }
    } else {
      inARow = 0;
      for (const number of rows) waits.bulk.delete(number);
      for (const [number, before] of waits.express) waits.express.set(number, before + 1);
    }
  };
  const done: Promise<void>[] = [];
  const counts = { express: 0, bulk: 0 };
  for (const { lane, rows, after } of steps) {
    await turns(after);
    const numbers = Array.from({ length: rows }, () =>
      lane === 'express' ? FIRST_EXPRESS + ++counts.express : ++counts.bulk,
    );
    for (const number of numbers) {
      if (lane === 'express') waits.express.set(number, 0);
      else waits.bulk.add(number);
    }
    const scored = score(
      batcher,
      numbers.map((number) => (lane === 'bulk' ? bulk(number) : Int32Array.of(number))),
      lane,
    );
    done.push(
      scored.then((outcomes) => {
        for (const [i, outcome] of outcomes.entries()) played.outcomes.set(numbers[i] ?? 0, outcome);
      }),
    );
  }
  await Promise.all(done);
  return played;
}

test('an express row waits for one bulk pass at most that begins after it came, and bulk for three of express', async () => {
  await fc.assert(
    fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 12 }), async (steps, passTurns) => {
      const { engine, outcomes, bulkBefore, expressInARow } = await play(steps, passTurns);
      for (const [number, outcome] of outcomes) expect(outcome).toEqual({ score: scoreOf(number) });
      expect(engine.most).toBeLessThanOrEqual(2);
      expect(Math.max(0, ...bulkBefore.values())).toBeLessThanOrEqual(1);
      expect(Math.max(0, ...expressInARow)).toBeLessThanOrEqual(MOST_EXPRESS_IN_A_ROW);
      const times = engine.passes.flatMap(({ rows }) => rows);
      expect(new Set(times).size).toBe(times.length);
    }),
    { numRuns: 300 },
  );
});

test('poison rows in either lane are found, and cost no other row', async () => {
  await fc.assert(
    fc.asyncProperty(
      arrivals,
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 2, max: 9 }),
      async (steps, passTurns, every) => {
        const isPoison = (number: number): boolean => number > 0 && number % every === 0;
        const { engine, outcomes } = await play(steps, passTurns, isPoison);
        for (const [number, outcome] of outcomes)
          expect(outcome).toEqual(isPoison(number) ? { error: 'died' } : { score: scoreOf(number) });
        expect(engine.most).toBeLessThanOrEqual(2);
      },
    ),
    { numRuns: 150 },
  );
});

test('every pass is told of: its lane, its rows, its tokens', async () => {
  const passes: Pass[] = [];
  const batcher = new Batcher(serialEngine(1).run, { ...MODEL, budgetTokens: 25 }, (pass) =>
    passes.push(pass),
  );
  await score(batcher, [bulk(1), express(2), bulk(3)], 'bulk');
  await score(batcher, [express(1)], 'express');
  expect(passes).toMatchObject([
    { lane: 'bulk', rows: 3, tokens: 2 * BULK_TOKENS + 1, longest: BULK_TOKENS, runMs: 1 },
    { lane: 'express', rows: 1, tokens: 1, longest: 1, runMs: 1 },
  ]);
});

test('an engine that is broken tells the askers of both lanes', async () => {
  const engine = serialEngine(2, () => true);
  const batcher = new Batcher(engine.run, MODEL);
  const asked = [score(batcher, [bulk(1), bulk(2)], 'bulk'), score(batcher, [express(1)], 'express')];
  for (const outcomes of asked) await expect(outcomes).rejects.toThrow('the engine fails on every row: died');
});
