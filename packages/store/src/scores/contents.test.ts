import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeParcel } from '../parcels/complete-parcel.js';
import { submitWindow } from '../parcels/submit-window.js';
import { cancelRun } from '../runs/finish-run.js';
import { anotherRun, hashOf, newRun, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { byHash, knownContents } from './contents.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const ALL = ['scored', 'failed', 'claimed', 'stranded', 'never seen'];

test('what is known of a content: a score, a claim, a parcel that was cancelled; an error or nothing is unknown', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const cancelled = await anotherRun(pool, run.guardId);
  const [done = 0] = (await submitWindow(pool, windowOf(run, ['scored', 'failed']))) ?? [];
  const [waiting] = (await submitWindow(pool, windowOf(run, ['claimed'], { afterRows: 2 }))) ?? [];
  const [given] = (await submitWindow(pool, windowOf(cancelled, ['stranded']))) ?? [];
  await completeParcel(pool, done, [
    { hash: hashOf('scored'), tokens: 6, score: 0.5, error: null },
    { hash: hashOf('failed'), tokens: 6, score: null, error: 'died' },
  ]);
  await cancelRun(pool, cancelled.runId);

  const known = await knownContents(pool, run.guardId, ALL.map(hashOf));
  const word = (hash: Buffer): string | undefined => ALL.find((each) => hashOf(each).equals(hash));
  expect(new Map(known.map(({ hash, ...rest }) => [word(hash), rest]))).toEqual(
    new Map([
      ['scored', { state: 'scored', parcelId: done, runId: run.runId }],
      ['claimed', { state: 'claimed', parcelId: waiting, runId: run.runId }],
      ['stranded', { state: 'stranded', parcelId: given, runId: cancelled.runId }],
    ]),
  );
});

test('a score outlives the run that it was made for, a claim does not', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [done = 0] = (await submitWindow(pool, windowOf(run, ['scored']))) ?? [];
  await completeParcel(pool, done, [{ hash: hashOf('scored'), tokens: 6, score: 0.5, error: null }]);
  await submitWindow(pool, windowOf(run, ['claimed'], { afterRows: 1 }));
  await pool.query('delete from runs where id = $1', [run.runId]);
  expect(await knownContents(pool, run.guardId, ALL.map(hashOf))).toEqual([
    { hash: hashOf('scored'), state: 'scored', parcelId: done, runId: null },
  ]);
});

test("another guard's contents are unknown", async () => {
  const run = await newRun(database.pool);
  await submitWindow(database.pool, windowOf(run, ['claimed']));
  const other = await newRun(database.pool);
  expect(await knownContents(database.pool, other.guardId, [hashOf('claimed')])).toEqual([]);
  expect(await knownContents(database.pool, other.guardId, [])).toEqual([]);
});

test('the order is that of the bytes, also where hashes begin alike', () => {
  const hash = fc
    .tuple(fc.constantFrom(0, 127, 128, 255), fc.uint8Array({ minLength: 32, maxLength: 32 }))
    .map(([same, bytes]) => Buffer.concat([Buffer.alloc(6, same), Buffer.from(bytes)]));
  fc.assert(
    fc.property(fc.array(hash), (hashes) => {
      const rows = hashes.map((each, at) => ({ hash: each, at }));
      const sorted = byHash(rows);
      expect(sorted).toEqual([...rows].sort((a, b) => Buffer.compare(a.hash, b.hash)));
    }),
  );
});
