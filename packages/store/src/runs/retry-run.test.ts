import { afterAll, beforeAll, expect, test } from 'vitest';
import { leaseParcel } from '../parcels/lease-parcel.js';
import { submitWindow } from '../parcels/submit-window.js';
import { anotherRun, hashOf, newRun, parcelOf, scoreParcel, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { cancelRun, finishRun } from './finish-run.js';
import { purgeTexts } from './purge-runs.js';
import { getRun } from './read-runs.js';
import { retryRun } from './retry-run.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('contents that ended in an error are tried again, and nothing else', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const window = windowOf(run, ['a', 'bb', 'ccc', 'dddd'], {
    parcels: [parcelOf('a', 'bb', 'ccc'), parcelOf('dddd')],
  });
  const [mixed = 0, sound = 0] = (await submitWindow(pool, window)) ?? [];
  await scoreParcel(pool, mixed, { a: 0.5, bb: 'died', ccc: 'died' });
  await scoreParcel(pool, sound, { dddd: 0.25 });
  await finishRun(pool, run.runId);
  expect(await getRun(pool, run.runId)).toMatchObject({ state: 'done', scored: 2, failed: 2, left: 0 });

  expect(await retryRun(pool, run.runId)).toEqual({ guardId: run.guardId, parcels: [mixed], lost: 0 });
  expect(await getRun(pool, run.runId)).toMatchObject({
    state: 'scoring',
    seenAt: null,
    finishedAt: null,
    scored: 2,
    failed: 0,
    left: 2,
  });
  const again = await leaseParcel(pool, mixed);
  expect(again?.hashes).toEqual([hashOf('bb'), hashOf('ccc')]);
  expect(again?.tokenIds).toEqual(parcelOf('bb', 'ccc').tokenIds);
  await scoreParcel(pool, mixed, { bb: 0.75, ccc: 'died again' });
  await finishRun(pool, run.runId);
  expect(await getRun(pool, run.runId)).toMatchObject({ state: 'done', scored: 3, failed: 1, left: 0 });
  expect((await retryRun(pool, run.runId)).parcels).toEqual([mixed]);
});

test('cancelled parcels are taken up again, those too that another run had claimed first', async () => {
  const { pool } = database;
  const first = await newRun(pool);
  const second = await anotherRun(pool, first.guardId);
  const [theirs = 0] = (await submitWindow(pool, windowOf(first, ['a']))) ?? [];
  const [own = 0] =
    (await submitWindow(pool, windowOf(second, ['a', 'bb'], { parcels: [parcelOf('bb')] }))) ?? [];
  await cancelRun(pool, first.runId);
  await cancelRun(pool, second.runId);
  expect((await retryRun(pool, second.runId)).parcels).toEqual([theirs, own]);
  await expect(retryRun(pool, second.runId)).rejects.toThrow(`run ${second.runId} is not over`);
});

test('a run that has nothing to be tried again stays done', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [parcel = 0] = (await submitWindow(pool, windowOf(run, ['a']))) ?? [];
  await scoreParcel(pool, parcel, { a: 0.5 });
  await finishRun(pool, run.runId);
  expect(await retryRun(pool, run.runId)).toMatchObject({ parcels: [], lost: 0 });
  expect(await getRun(pool, run.runId)).toMatchObject({ state: 'done' });
});

test('rows whose tokens were purged are counted: only their corpus has them', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const window = windowOf(run, ['a', 'bb'], { parcels: [parcelOf('a'), parcelOf('bb')] });
  const [failed = 0] = (await submitWindow(pool, window)) ?? [];
  await scoreParcel(pool, failed, { a: 'died' });
  await cancelRun(pool, run.runId);
  await purgeTexts(pool, [run.runId]);
  expect(await retryRun(pool, run.runId)).toMatchObject({ parcels: [], lost: 2 });
});

test('a run that does not exist is refused', async () => {
  await expect(retryRun(database.pool, 4711)).rejects.toThrow('there is no run 4711');
});
