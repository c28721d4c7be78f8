import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelRun } from './cancel-run.js';
import { finishRun } from './finish-run.js';
import { knownContents } from './known-contents.js';
import { getRun } from './list-runs.js';
import { purgeableRuns, purgeRuns, purgeScores, purgeTexts } from './purge-runs.js';
import { hasUnresolvedItems } from './run-progress.js';
import { submitWindow } from './submit-window.js';
import { TestDatabase } from './testing/index.js';
import { anotherRun, newRun } from './testing/test-guard.js';
import { hashOf, parcelOf, scoreParcel, windowOf } from './testing/windows.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const knownOf = async (guardId: number, words: string[]): Promise<number> =>
  (await knownContents(database.pool, guardId, words.map(hashOf))).length;

async function count(sql: string, runId: number): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(sql, [runId]);
  return rows[0]?.count ?? Number.NaN;
}

/** A run that is done, with the texts of its rows. */
async function doneRun(
  run: { runId: number; guardId: number },
  words: string[],
  fresh = [...new Set(words)],
): Promise<void> {
  const window = windowOf(run, words, { parcels: fresh.length === 0 ? [] : [parcelOf(...fresh)] });
  window.items = window.items.map((item) => ({ ...item, json: JSON.stringify({ text: item.key }) }));
  const [parcel = 0] = (await submitWindow(database.pool, window)) ?? [];
  await scoreParcel(database.pool, parcel, Object.fromEntries(fresh.map((word) => [word, 0.5])));
  await finishRun(database.pool, run.runId);
}

test('a run is deleted with all that is its own; its scores stay', async () => {
  const { pool } = database;
  const run = await newRun(pool, { retain: 'all' });
  await doneRun(run, ['a', 'bb', 'a']);
  expect(await purgeRuns(pool, [run.runId])).toBe(3);
  await expect(getRun(pool, run.runId)).rejects.toThrow('there is no run');
  for (const table of ['items', 'item_texts', 'parcels']) {
    expect(await count(`select count(*) as count from ${table} where run_id = $1`, run.runId)).toBe(0);
  }
  expect(await knownOf(run.guardId, ['a', 'bb'])).toBe(2);
});

test('scores go too when they are asked for, but not those that another run has', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const other = await anotherRun(pool, run.guardId);
  await doneRun(run, ['a', 'bb', 'ccc']);
  await doneRun(other, ['bb'], []);
  expect(await purgeScores(pool, [run.runId])).toBe(2);
  await purgeRuns(pool, [run.runId]);
  expect(await knownOf(run.guardId, ['a', 'bb', 'ccc'])).toBe(1);
  expect(await getRun(pool, other.runId)).toMatchObject({ scored: 1, left: 0 });
  expect(await purgeScores(pool, [other.runId])).toBe(1);
});

test('of texts, only texts and kept tokens go', async () => {
  const { pool } = database;
  const run = await newRun(pool, { retain: 'all' });
  await doneRun(run, ['a', 'bb']);
  expect(await purgeTexts(pool, [run.runId])).toBe(2);
  expect(await getRun(pool, run.runId)).toMatchObject({ rows: 2, scored: 2 });
});

test('whoever waits for a content of a cancelled parcel that is purged gets an error, and can claim it anew', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  await submitWindow(pool, windowOf(run, ['a']));
  const waiting = await anotherRun(pool, run.guardId);
  await submitWindow(pool, windowOf(waiting, ['a'], { parcels: [] }));
  await cancelRun(pool, run.runId);
  await purgeRuns(pool, [run.runId]);
  expect(await hasUnresolvedItems(pool, waiting.runId)).toBe(false);
  expect(await getRun(pool, waiting.runId)).toMatchObject({ failed: 1, left: 0 });
  expect(await knownOf(run.guardId, ['a'])).toBe(0);
});

test('runs that are over for long enough are found; one that is not over is refused', async () => {
  const { pool } = database;
  const [old, young, open] = [await newRun(pool), await newRun(pool), await newRun(pool)];
  await finishRun(pool, young.runId);
  await cancelRun(pool, old.runId);
  await pool.query(`update runs set finished_at = now() - interval '31 days' where id = $1`, [old.runId]);
  expect(await purgeableRuns(pool, { olderThanDays: 30 })).toEqual([old.runId]);
  expect(await purgeableRuns(pool, { runId: young.runId })).toEqual([young.runId]);
  await expect(purgeableRuns(pool, { runId: open.runId })).rejects.toThrow('is not over');
  await expect(purgeableRuns(pool, { runId: 4711 })).rejects.toThrow('there is no run 4711');
});
