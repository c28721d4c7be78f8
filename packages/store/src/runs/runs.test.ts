import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeParcel } from '../parcels/complete-parcel.js';
import { submitWindow } from '../parcels/submit-window.js';
import { anotherRun, hashOf, newRun, parcelOf, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { findRun } from './read-runs.js';
import { hasUnresolvedItems, runProgress } from './run-progress.js';
import { createRun, registerGuard } from './runs.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('a guard has one id and one queue, whoever registers it and however often', async () => {
  const guards = await Promise.all(
    Array.from({ length: 8 }, (_, i) => registerGuard(database.pool, 'fingerprint', `ref ${i}`)),
  );
  expect(new Set(guards.map(({ id, queue }) => `${id} ${queue}`)).size).toBe(1);
  const another = await registerGuard(database.pool, 'another', 'ref');
  expect(another.id).not.toBe(guards[0]?.id);
  expect(another.queue).not.toBe(guards[0]?.queue);
});

test('a run begins with nothing', async () => {
  const { id: guardId } = await registerGuard(database.pool, 'fingerprint', 'ref');
  const runId = await createRun(database.pool, guardId, 'corpus.jsonl');
  expect(await findRun(database.pool, runId)).toMatchObject({
    rows: 0,
    fresh: 0,
    known: 0,
    duplicates: 0,
    rejected: 0,
    truncated: 0,
    scored: 0,
    left: 0,
  });
  expect(await runProgress(database.pool, runId)).toEqual({
    contents: 0,
    contentsDone: 0,
    tokens: 0,
    tokensDone: 0,
    parcelsWaiting: 0,
  });
});

test('progress counts the own parcels, unresolved items those of other runs too', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const other = await anotherRun(pool, run.guardId);
  const [theirs = 0] = (await submitWindow(pool, windowOf(other, ['shared']))) ?? [];
  const parcels = [parcelOf('a', 'bb')];
  const window = windowOf(run, ['a', 'bb', 'shared', 'shared'], { parcels });
  const reject = { seq: 5, key: '5', content: null, truncated: false, reject: 'line 5 is no JSON' };
  window.items.push(reject);
  const [done = 0] = (await submitWindow(pool, window)) ?? [];
  const [later = 0] = (await submitWindow(pool, windowOf(run, ['ccc'], { afterRows: 5 }))) ?? [];
  await completeParcel(pool, done, [
    { hash: hashOf('a'), tokens: 1, score: 0.5, error: null },
    // An error resolves an item as a score does.
    { hash: hashOf('bb'), tokens: 2, score: null, error: 'died' },
  ]);
  expect(await runProgress(pool, run.runId)).toEqual({
    contents: 3,
    contentsDone: 2,
    tokens: 6,
    tokensDone: 3,
    parcelsWaiting: 1,
  });
  await completeParcel(pool, later, [{ hash: hashOf('ccc'), tokens: 3, score: 0.5, error: null }]);
  expect(await runProgress(pool, run.runId)).toMatchObject({ contentsDone: 3, parcelsWaiting: 0 });
  expect(await hasUnresolvedItems(pool, run.runId)).toBe(true);
  await completeParcel(pool, theirs, [{ hash: hashOf('shared'), tokens: 6, score: 0.5, error: null }]);
  expect(await hasUnresolvedItems(pool, run.runId)).toBe(false);
});
