import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeScoredRun } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { compareRuns } from './compare-runs.js';
import { rankRun } from './ranking.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

/** Rows of a run: a key of a few, and a score that is 0 to 8 eighths. */
const corpus = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd', 'e'), eighths: fc.nat(8) }), {
  maxLength: 8,
});
type Row = { key: string; eighths: number };

async function storeRows(rows: Row[]): Promise<number> {
  const { pool } = database;
  const run = await storeScoredRun(
    pool,
    rows.map(({ eighths }) => eighths / 8),
  );
  await pool.query(
    `update items set key = given.key from unnest($2::text[]) with ordinality as given (key, n)
     where run_id = $1 and seq = n`,
    [run.id, rows.map(({ key }) => key)],
  );
  await rankRun(pool, run.id);
  return run.id;
}

/** The highest score of each key. */
function highest(rows: Row[]): Map<string, number> {
  const keys = new Map<string, number>();
  for (const { key, eighths } of rows) keys.set(key, Math.max(keys.get(key) ?? 0, eighths / 8));
  return keys;
}

test('keys are compared by their highest score', async () => {
  await fc.assert(
    fc.asyncProperty(corpus, corpus, fc.nat(8), async (rowsBefore, rowsNow, eighths) => {
      const threshold = eighths / 8;
      const [before, now] = [highest(rowsBefore), highest(rowsNow)];
      const both = [...now.keys()].filter((key) => before.has(key));
      const flag = (run: Map<string, number>, key: string) => (run.get(key) ?? 0) >= threshold;
      const [up, down] = [
        both.filter((key) => flag(now, key) && !flag(before, key)),
        both.filter((key) => !flag(now, key) && flag(before, key)),
      ];
      const compared = await compareRuns(
        database.pool,
        { now: await storeRows(rowsNow), before: await storeRows(rowsBefore) },
        { threshold, examples: 2 },
      );
      expect(compared).toMatchObject({
        both: both.length,
        flippedUp: up.length,
        flippedDown: down.length,
        newKeys: now.size - both.length,
        goneKeys: before.size - both.length,
      });
      const moves = [...up, ...down].map((key) => Math.abs((now.get(key) ?? 0) - (before.get(key) ?? 0)));
      expect(compared.examples.map((example) => Math.abs(example.now - example.before))).toEqual(
        moves.sort((a, b) => b - a).slice(0, 2),
      );
      for (const { key, seq, before: was, now: is } of compared.examples) {
        expect([was, is]).toEqual([before.get(key), now.get(key)]);
        expect(seq).toBe(rowsNow.findIndex((row) => row.key === key) + 1);
      }
    }),
    { numRuns: 25 },
  );
});
