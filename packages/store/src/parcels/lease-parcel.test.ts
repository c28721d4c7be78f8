import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashOf, newRun, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { leaseParcel } from './lease-parcel.js';
import { submitWindow } from './submit-window.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('a parcel comes out as it went in, token ids beyond 16 bits included', async () => {
  const run = await newRun(database.pool);
  const parcel = {
    hashes: ['a', 'b', 'c'].map(hashOf),
    tokenIds: [Int32Array.of(0, 151_935, 2 ** 31 - 1), Int32Array.of(7), Int32Array.of(1, 2)],
  };
  const [id = 0] =
    (await submitWindow(database.pool, windowOf(run, ['a', 'b', 'c'], { parcels: [parcel] }))) ?? [];
  expect(await leaseParcel(database.pool, id)).toEqual({ id, ...parcel, lostLeases: 0 });
});

test('a parcel that does not exist is nothing to be scored', async () => {
  expect(await leaseParcel(database.pool, 1_000_000_000)).toBeUndefined();
});

test('a damaged parcel is refused, not scored in part', async () => {
  const run = await newRun(database.pool);
  const [id = 0] = (await submitWindow(database.pool, windowOf(run, ['a', 'bb']))) ?? [];
  await database.pool.query(
    'update parcels set token_ids = substring(token_ids from 1 for 4) where id = $1',
    [id],
  );
  await expect(leaseParcel(database.pool, id)).rejects.toThrow(`parcel ${id} is damaged`);
});
