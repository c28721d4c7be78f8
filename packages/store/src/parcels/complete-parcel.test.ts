import { createPool } from '@tocsin/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { anotherRun, hashOf, newRun, parcelOf, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { type ContentOutcome, completeParcel } from './complete-parcel.js';
import { leaseParcel } from './lease-parcel.js';
import { submitWindow } from './submit-window.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const WORDS = ['a', 'bb', 'ccc'];

async function newParcel(): Promise<{ parcelId: number; guardId: number }> {
  const run = await newRun(database.pool);
  const [parcelId = 0] = (await submitWindow(database.pool, windowOf(run, WORDS))) ?? [];
  return { parcelId, guardId: run.guardId };
}

const outcomes = (score: number): ContentOutcome[] =>
  WORDS.map((word) => ({ hash: hashOf(word), tokens: word.length, score, error: null }));

async function scoresOf(guardId: number): Promise<(number | null)[]> {
  const { rows } = await database.pool.query<{ score: number | null }>(
    'select score from scores where guard_id = $1 order by tokens',
    [guardId],
  );
  return rows.map((row) => row.score);
}

test('scores and done are stored together, and what the parcel held is dropped', async () => {
  const { parcelId, guardId } = await newParcel();
  await completeParcel(database.pool, parcelId, outcomes(0.5));
  expect(await scoresOf(guardId)).toEqual([0.5, 0.5, 0.5]);
  const { rows } = await database.pool.query(
    'select state, hashes, lengths, token_ids, finished_at is not null as finished from parcels where id = $1',
    [parcelId],
  );
  expect(rows).toEqual([{ state: 'done', hashes: null, lengths: null, token_ids: null, finished: true }]);
  expect(await leaseParcel(database.pool, parcelId)).toBeUndefined();
});

test('a parcel that is completed again stays as it is', async () => {
  const { parcelId, guardId } = await newParcel();
  await completeParcel(database.pool, parcelId, outcomes(0.5));
  await completeParcel(database.pool, parcelId, outcomes(0.75));
  expect(await scoresOf(guardId)).toEqual([0.5, 0.5, 0.5]);
});

test('of two workers that complete a parcel at once, one is heard', async () => {
  const { parcelId, guardId } = await newParcel();
  await Promise.all(
    [0.25, 0.5, 0.75].map((score) => completeParcel(database.pool, parcelId, outcomes(score))),
  );
  expect(new Set(await scoresOf(guardId)).size).toBe(1);
});

test('when the scores cannot be stored, the parcel is not done', async () => {
  const { parcelId, guardId } = await newParcel();
  const damaged = outcomes(0.5).map((outcome, i) => (i < 2 ? outcome : { ...outcome, error: 'no\0text' }));
  await expect(completeParcel(database.pool, parcelId, damaged)).rejects.toThrow();
  expect(await scoresOf(guardId)).toEqual([null, null, null]);
  expect((await leaseParcel(database.pool, parcelId))?.hashes).toEqual(WORDS.map(hashOf));
});

test('a cancelled parcel that a worker still held is done with its scores', async () => {
  const { parcelId, guardId } = await newParcel();
  await database.pool.query(`update parcels set state = 'cancelled' where id = $1`, [parcelId]);
  await completeParcel(database.pool, parcelId, outcomes(0.5));
  expect(await scoresOf(guardId)).toEqual([0.5, 0.5, 0.5]);
});

test('a score of another parcel replaces an error, an error replaces no score', async () => {
  const run = await newRun(database.pool);
  const other = await anotherRun(database.pool, run.guardId);
  const [first = 0] = (await submitWindow(database.pool, windowOf(run, ['a', 'bb']))) ?? [];
  const [second = 0] = (await submitWindow(database.pool, windowOf(other, ['a', 'bb']))) ?? [];
  const failed = { score: null, error: 'died' };
  await completeParcel(database.pool, first, [
    { hash: hashOf('a'), tokens: 1, ...failed },
    { hash: hashOf('bb'), tokens: 2, score: 0.25, error: null },
  ]);
  await completeParcel(database.pool, second, [
    { hash: hashOf('a'), tokens: 1, score: 0.5, error: null },
    { hash: hashOf('bb'), tokens: 2, ...failed },
  ]);
  const { rows } = await database.pool.query(
    'select score, error from scores where guard_id = $1 order by tokens',
    [run.guardId],
  );
  expect(rows).toEqual([
    { score: 0.5, error: null },
    { score: 0.25, error: null },
  ]);
});

test('claims are found by their key, also on a table that Postgres has no statistics of', async () => {
  const run = await newRun(database.pool);
  const words = Array.from({ length: 4000 }, (_, i) => `word ${i}`);
  const mine = words.slice(0, 50);
  const parcels = [parcelOf(...mine), parcelOf(...words.slice(50))];
  const [id = 0] = (await submitWindow(database.pool, windowOf(run, words, { parcels }))) ?? [];
  // Each session counts what it reads by itself, and passes it on when it is told to.
  const session = createPool(database.url, { applicationName: 'tocsin test', max: 1 });
  const rowsRead = async (): Promise<number> => {
    await session.query('select pg_stat_force_next_flush()');
    const { rows } = await session.query(
      `select seq_tup_read + idx_tup_fetch as count from pg_stat_user_tables where relname = 'scores'`,
    );
    return rows[0]?.count;
  };
  const before = await rowsRead();
  await completeParcel(
    session,
    id,
    mine.map((word) => ({ hash: hashOf(word), tokens: word.length, score: 0.5, error: null })),
  );
  expect((await rowsRead()) - before).toBeLessThanOrEqual(2 * mine.length);
  await session.end();
});

test("another guard's scores of the same contents are not touched", async () => {
  const mine = await newParcel();
  const theirs = await newParcel();
  await completeParcel(database.pool, mine.parcelId, outcomes(0.5));
  expect(await scoresOf(theirs.guardId)).toEqual([null, null, null]);
});
