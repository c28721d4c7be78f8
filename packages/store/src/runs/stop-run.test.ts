import { afterAll, beforeAll, expect, test } from 'vitest';
import { forgetStoppedTexts, keptTexts } from '../items/forget-texts.js';
import { submitWindow } from '../parcels/submit-window.js';
import { waitingParcels } from '../parcels/waiting-parcels.js';
import { newRun, scoreParcel, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { leaveRun } from './attend-run.js';
import { cancelRun, failRun, finishRun } from './finish-run.js';
import { getRun } from './read-runs.js';
import { retryRun } from './retry-run.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

/** A run of one row that is not scored yet, with its text. @returns also its parcel */
async function openRun(): Promise<{ runId: number; guardId: number; parcel: number }> {
  const run = await newRun(database.pool);
  const window = windowOf(run, ['a']);
  window.items = window.items.map((item) => ({ ...item, json: '{"text":"a"}' }));
  const [parcel = 0] = (await submitWindow(database.pool, window)) ?? [];
  return { ...run, parcel };
}

test('a run that fails keeps its reason, and leaves no parcel and no text behind', async () => {
  const { pool } = database;
  const { runId, guardId } = await openRun();
  expect(await failRun(pool, runId, 'rows.csv ends too early\nCopy it again.')).toBe(true);
  expect(await getRun(pool, runId)).toMatchObject({
    state: 'failed',
    reason: 'rows.csv ends too early\nCopy it again.',
    finishedAt: expect.any(Date),
    left: 1,
  });
  expect(await waitingParcels(pool, guardId, 10)).toEqual([]);
  expect(await keptTexts(pool, runId)).toBe(0);
});

test('the first end of a run counts', async () => {
  const { pool } = database;
  const [failed, cancelled] = [await openRun(), await openRun()];
  expect(await failRun(pool, failed.runId, 'first')).toBe(true);
  expect(await failRun(pool, failed.runId, 'second')).toBe(false);
  expect(await cancelRun(pool, failed.runId)).toBe(false);
  expect(await finishRun(pool, failed.runId)).toBe('failed');
  expect(await getRun(pool, failed.runId)).toMatchObject({ state: 'failed', reason: 'first' });
  expect(await cancelRun(pool, cancelled.runId)).toBe(true);
  expect(await failRun(pool, cancelled.runId, 'later')).toBe(false);
  expect(await getRun(pool, cancelled.runId)).toMatchObject({ state: 'cancelled', reason: null });
});

test('a reason may hold what Postgres does not store, and be of any length', async () => {
  const { pool } = database;
  const { runId } = await openRun();
  await failRun(pool, runId, `a\0b \ud800 ${'x'.repeat(1_000_000)}`);
  expect((await getRun(pool, runId)).reason).toMatch(/^a\ufffdb \ufffd x{1000}/);
});

test('texts of a run that failed when its process could not delete them go at the next look', async () => {
  const { pool } = database;
  const { runId } = await openRun();
  await pool.query(`update runs set state = 'failed' where id = $1`, [runId]);
  await forgetStoppedTexts(pool);
  expect(await keptTexts(pool, runId)).toBe(0);
});

test('a retry of a failed run ends it as done only when its corpus was in the store', async () => {
  const { pool } = database;
  const whole = await openRun();
  await leaveRun(pool, whole.runId);
  await failRun(pool, whole.runId, 'the disk is full');
  const half = await openRun();
  await failRun(pool, half.runId, 'the file ends too early');
  for (const { runId, parcel } of [whole, half]) {
    expect(await retryRun(pool, runId)).toMatchObject({ parcels: [parcel] });
    await scoreParcel(pool, parcel, { a: 0.5 });
    await finishRun(pool, runId);
  }
  expect(await getRun(pool, whole.runId)).toMatchObject({ state: 'done', reason: null, scored: 1 });
  expect(await getRun(pool, half.runId)).toMatchObject({
    state: 'failed',
    reason: 'the file ends too early',
    scored: 1,
  });
});

test('a run in which no row has a score has failed', async () => {
  const { pool } = database;
  const rejects = await newRun(pool);
  const reject = { key: 'bad', content: null, truncated: false, reject: 'a.jsonl, line 1: no JSON' };
  await submitWindow(pool, windowOf(rejects, [], { items: [1, 2].map((seq) => ({ ...reject, seq })) }));
  expect(await finishRun(pool, rejects.runId)).toBe('failed');
  expect(await getRun(pool, rejects.runId)).toMatchObject({
    state: 'failed',
    reason: 'no row has a score (rows: 2). The first: a.jsonl, line 1: no JSON',
  });

  const errors = await openRun();
  await scoreParcel(pool, errors.parcel, { a: 'the engine died' });
  expect(await finishRun(pool, errors.runId)).toBe('failed');
  expect(await getRun(pool, errors.runId)).toMatchObject({
    reason: 'no row has a score (rows: 1). The first: the engine died',
  });

  const empty = await newRun(pool);
  expect(await finishRun(pool, empty.runId)).toBe('done');
});
