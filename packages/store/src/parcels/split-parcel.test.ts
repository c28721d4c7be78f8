import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelRun, finishRun } from '../runs/finish-run.js';
import { getRun } from '../runs/read-runs.js';
import { retryRun } from '../runs/retry-run.js';
import { knownContents } from '../scores/contents.js';
import { hashOf, newRun, parcelOf, scoreParcel, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import {
  countLostLease,
  forgiveAttempt,
  leaseParcel,
  QUARANTINE_AFTER,
  recordAttempt,
} from './lease-parcel.js';
import { splitParcel } from './split-parcel.js';
import { submitWindow } from './submit-window.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

/** A parcel of words, all of which it has claimed. */
async function parcelWith(...words: string[]) {
  const run = await newRun(database.pool);
  const [id = 0] = (await submitWindow(database.pool, windowOf(run, words))) ?? [];
  return { ...run, id };
}

test('the halves hold what the parcel held, claims included, and it is gone', async () => {
  const { pool } = database;
  const { id, runId, guardId } = await parcelWith('a', 'bb', 'ccc', 'dddd', 'eeeee');
  const [first = 0, second = 0] = await splitParcel(pool, id);
  expect(await leaseParcel(pool, id)).toBeUndefined();
  expect(await leaseParcel(pool, first)).toEqual({
    id: first,
    ...parcelOf('a', 'bb', 'ccc'),
    lostLeases: QUARANTINE_AFTER,
  });
  expect(await leaseParcel(pool, second)).toEqual({
    id: second,
    ...parcelOf('dddd', 'eeeee'),
    lostLeases: QUARANTINE_AFTER,
  });
  const claims = await knownContents(pool, guardId, ['a', 'dddd'].map(hashOf));
  expect(claims.map(({ state, parcelId }) => ({ state, parcelId }))).toEqual(
    expect.arrayContaining([
      { state: 'claimed', parcelId: first },
      { state: 'claimed', parcelId: second },
    ]),
  );
  const { rows } = await pool.query('select contents, tokens from parcels where run_id = $1 order by id', [
    runId,
  ]);
  expect(rows).toEqual([
    { contents: 3, tokens: 6 },
    { contents: 2, tokens: 9 },
  ]);

  // Whoever scores the parcel that is gone, having held it before, stores nothing; the halves bring every score.
  await scoreParcel(pool, id, { a: 0.125 });
  await scoreParcel(pool, first, { a: 0.5, bb: 0.5, ccc: 'died' });
  await scoreParcel(pool, second, { dddd: 0.5, eeeee: 0.5 });
  await finishRun(pool, runId);
  expect(await getRun(pool, runId)).toMatchObject({ state: 'done', scored: 4, failed: 1, left: 0 });
  expect((await retryRun(pool, runId)).parcels).toEqual([first]);
});

test('one content is not split, nor what does not wait', async () => {
  const { pool } = database;
  const one = await parcelWith('a');
  expect(await splitParcel(pool, one.id)).toEqual([]);
  const done = await parcelWith('a', 'bb');
  await scoreParcel(pool, done.id, { a: 0.5, bb: 0.5 });
  expect(await splitParcel(pool, done.id)).toEqual([]);
  expect(await splitParcel(pool, 1_000_000_000)).toEqual([]);
});

test('two workers that split the same parcel make two halves, not four', async () => {
  const { id } = await parcelWith('a', 'bb', 'ccc', 'dddd');
  const halves = await Promise.all([splitParcel(database.pool, id), splitParcel(database.pool, id)]);
  expect(halves.flat()).toHaveLength(2);
});

test('a run that is cancelled while its parcel is split leaves no half waiting', async () => {
  const { pool } = database;
  for (let i = 0; i < 20; i++) {
    const { id, runId } = await parcelWith('a', 'bb');
    await Promise.all(
      i % 2 === 0
        ? [splitParcel(pool, id), cancelRun(pool, runId)]
        : [cancelRun(pool, runId), splitParcel(pool, id)],
    );
    const { rows } = await pool.query('select distinct state from parcels where run_id = $1', [runId]);
    expect(rows).toEqual([{ state: 'cancelled' }]);
  }
});

test('lost leases count until a parcel is suspect; from then on its tries do, and a retry begins them anew', async () => {
  const { pool } = database;
  const { id, runId } = await parcelWith('a');
  const lost = async (): Promise<number | undefined> => (await leaseParcel(pool, id))?.lostLeases;
  expect(await lost()).toBe(0);
  for (let i = 0; i < QUARANTINE_AFTER + 2; i++) await countLostLease(pool, id);
  expect(await lost()).toBe(QUARANTINE_AFTER);
  const leased = { id, lostLeases: QUARANTINE_AFTER };
  // After a broken connection nobody knows whether it was counted: it is counted again.
  for (let i = 0; i < 2; i++) await recordAttempt(pool, leased);
  expect(await lost()).toBe(QUARANTINE_AFTER + 1);
  for (let i = 0; i < 2; i++) await forgiveAttempt(pool, leased);
  expect(await lost()).toBe(QUARANTINE_AFTER);

  await recordAttempt(pool, leased);
  await scoreParcel(pool, id, { a: 'died' });
  await finishRun(pool, runId);
  await retryRun(pool, runId);
  expect(await lost()).toBe(QUARANTINE_AFTER);
});
