import type { Retention } from '@tocsin/core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exportRows } from '../items/export-rows.js';
import { forgetStoppedTexts } from '../items/forget-texts.js';
import { submitWindow } from '../parcels/submit-window.js';
import { newRun, scoreParcel, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { leaveRun } from './attend-run.js';
import { cancelRun, finishRun, settledRuns } from './finish-run.js';
import { getRun } from './read-runs.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

/** NUL, a pair of surrogates, one that is alone, line breaks of all kinds, what COPY and arrays would escape. */
const TEXTS = {
  low: 'a\0b \\ "c" {d,e} \\N',
  high: 'two\nlines\r\n\u2028 of 😀 and \ud83d alone',
  broken: 'tab\there',
};

/** A run of a flagged row, one that is not, one with an error, and a reject; scored, and not over yet. */
async function scoredRun(retain: Retention): Promise<number> {
  const { pool } = database;
  const run = await newRun(pool, { threshold: 0.7, retain });
  const window = windowOf(run, Object.keys(TEXTS));
  window.items = window.items.map((item, i) => ({
    ...item,
    json: JSON.stringify({ text: Object.values(TEXTS)[i] }),
  }));
  window.items.push({ seq: 4, key: 'bad', content: null, truncated: false, reject: 'line 4 is no JSON' });
  const [parcel = 0] = (await submitWindow(pool, window)) ?? [];
  // 0.7 is no float32: what is stored is a little less than what was asked for, of score and threshold alike.
  await scoreParcel(pool, parcel, { low: 0.69, high: 0.7, broken: 'the engine died' });
  return run.runId;
}

async function textsOf(runId: number): Promise<(string | null)[]> {
  const texts: (string | null)[] = [];
  for await (const page of exportRows(database.pool, runId, undefined, { texts: true })) {
    for (const { json } of page)
      texts.push(json === null ? null : (JSON.parse(json) as { text: string }).text);
  }
  return texts;
}

describe('a run that is done', () => {
  test.each<[Retention, (string | null)[]]>([
    ['none', [null, null, null, null]],
    ['flagged', [null, TEXTS.high, null, null]],
    ['all', [TEXTS.low, TEXTS.high, TEXTS.broken, null]],
  ])('retains %s', async (retain, kept) => {
    const runId = await scoredRun(retain);
    expect(await textsOf(runId)).toEqual([...Object.values(TEXTS), null]);
    await finishRun(database.pool, runId);
    expect(await getRun(database.pool, runId)).toMatchObject({ state: 'done', flagged: 1 });
    expect(await textsOf(runId)).toEqual(kept);
  });

  test('is over: it cannot be cancelled, and finishing it again changes nothing', async () => {
    const runId = await scoredRun('flagged');
    await finishRun(database.pool, runId);
    const before = await getRun(database.pool, runId);
    expect(await cancelRun(database.pool, runId)).toBe(false);
    await finishRun(database.pool, runId);
    expect(await getRun(database.pool, runId)).toEqual(before);
  });
});

test.each<[Retention, number]>([
  ['none', 0],
  ['flagged', 0],
  ['all', 3],
])('a run that retains %s and is cancelled keeps %i texts', async (retain, kept) => {
  const runId = await scoredRun(retain);
  expect(await cancelRun(database.pool, runId)).toBe(true);
  expect((await textsOf(runId)).filter((text) => text !== null)).toHaveLength(kept);
});

test('texts of a run whose canceller was killed in between go at the next look', async () => {
  const [flagged, all] = [await scoredRun('flagged'), await scoredRun('all')];
  await database.pool.query(`update runs set state = 'cancelled' where id = any($1)`, [[flagged, all]]);
  await forgetStoppedTexts(database.pool);
  expect((await textsOf(flagged)).filter((text) => text !== null)).toEqual([]);
  expect((await textsOf(all)).filter((text) => text !== null)).toHaveLength(3);
});

test('only runs that nobody waits for and that have no parcel left are settled', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [parcel = 0] = (await submitWindow(pool, windowOf(run, ['x']))) ?? [];
  expect(await settledRuns(pool, run.guardId)).toEqual([]);
  await leaveRun(pool, run.runId);
  expect(await settledRuns(pool, run.guardId)).toEqual([]);
  await scoreParcel(pool, parcel, { x: 0.5 });
  expect(await settledRuns(pool, run.guardId)).toEqual([run.runId]);
  await finishRun(pool, run.runId);
  expect(await settledRuns(pool, run.guardId)).toEqual([]);
});
