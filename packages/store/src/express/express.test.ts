import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelRun } from '../cancel-run.js';
import { completeParcel } from '../complete-parcel.js';
import { knownContents } from '../known-contents.js';
import { leaseParcel } from '../lease-parcel.js';
import { submitWindow } from '../submit-window.js';
import { TestDatabase } from '../testing/index.js';
import { anotherRun, newRun } from '../testing/test-guard.js';
import { hashOf, parcelOf, windowOf } from '../testing/windows.js';
import { adoptParcels, waitingParcels } from '../waiting-parcels.js';
import { ExpressListener } from './express-listener.js';
import { knownOutcomes } from './express-outcomes.js';
import { cancelAbandonedExpress, cancelExpress, forgetExpress, waitingExpress } from './express-parcels.js';
import { submitExpress } from './submit-express.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const scored = (word: string, score = 0.5) => ({ hash: hashOf(word), score, error: null });
const failed = (word: string) => ({ hash: hashOf(word), score: null, error: 'died' });

/** What an asker is told of a word. */
async function known(guardId: number, word: string) {
  const [outcome] = await knownOutcomes(database.pool, guardId, [hashOf(word)]);
  if (outcome === undefined) return undefined;
  const { hash, ...rest } = outcome;
  expect(hash).toEqual(hashOf(word));
  return rest;
}

test('an express parcel is claimed, leased and finished as any other, and belongs to no run', async () => {
  const { pool } = database;
  const { guardId } = await newRun(pool);
  expect(await known(guardId, 'bb')).toBeUndefined();
  const id = await submitExpress(pool, guardId, parcelOf('bb', 'a'));
  expect(await known(guardId, 'bb')).toEqual({ score: null, error: null, errorIsFresh: false, parcelId: id });
  expect(await waitingExpress(pool, [id, id + 1])).toEqual([id]);
  expect(await waitingParcels(pool, guardId, 10)).toEqual([]);

  const leased = await leaseParcel(pool, id);
  const lengths = new Map(
    leased?.hashes.map((hash, i) => [hash.toString('hex'), leased.tokenIds[i]?.length]),
  );
  expect(lengths).toEqual(
    new Map(
      [
        ['bb', 2],
        ['a', 1],
      ].map(([word, length]) => [hashOf(String(word)).toString('hex'), length]),
    ),
  );
  await completeParcel(pool, id, [scored('a', 0.25), failed('bb')]);
  expect(await known(guardId, 'a')).toMatchObject({ score: 0.25, error: null, parcelId: null });
  expect(await known(guardId, 'bb')).toEqual({
    score: null,
    error: 'died',
    errorIsFresh: true,
    parcelId: null,
  });
  expect(await waitingExpress(pool, [id])).toEqual([]);
});

test('a content that a run has claimed comes by express first, and its parcel changes nothing', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [bulk = 0] = (await submitWindow(pool, windowOf(run, ['a', 'bb']))) ?? [];
  expect(await known(run.guardId, 'a')).toMatchObject({ score: null, parcelId: null });
  const express = await submitExpress(pool, run.guardId, parcelOf('a'));
  await completeParcel(pool, express, [scored('a', 0.25)]);
  expect(await known(run.guardId, 'a')).toMatchObject({ score: 0.25 });
  await completeParcel(pool, bulk, [scored('a', 0.75), scored('bb')]);
  expect(await known(run.guardId, 'a')).toMatchObject({ score: 0.25 });
  expect(await known(run.guardId, 'bb')).toMatchObject({ score: 0.5 });
});

test('what has a score by the time of the lease is not scored again', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [bulk = 0] = (await submitWindow(pool, windowOf(run, ['a']))) ?? [];
  const express = await submitExpress(pool, run.guardId, parcelOf('a', 'bb'));
  await completeParcel(pool, bulk, [scored('a')]);
  expect(await leaseParcel(pool, express)).toMatchObject({ hashes: [hashOf('bb')] });
  await completeParcel(pool, express, [scored('bb')]);
  expect(await waitingExpress(pool, [express])).toEqual([]);
});

test('claims of cancelled parcels and errors go to the express parcel', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [given = 0] = (await submitWindow(pool, windowOf(run, ['stranded', 'left']))) ?? [];
  const [done = 0] = (await submitWindow(pool, windowOf(run, ['failed'], { afterRows: 2 }))) ?? [];
  await completeParcel(pool, done, [failed('failed')]);
  await cancelRun(pool, run.runId);
  const express = await submitExpress(pool, run.guardId, parcelOf('stranded', 'failed'));
  const claims = await knownContents(pool, run.guardId, ['stranded', 'failed', 'left'].map(hashOf));
  expect(new Map(claims.map((claim) => [claim.parcelId, claim.state]))).toEqual(
    new Map([
      [express, 'claimed'],
      [given, 'stranded'],
    ]),
  );
});

test('an error is told for ten minutes, then the content is worth another try', async () => {
  const { pool } = database;
  const { guardId } = await newRun(pool);
  const id = await submitExpress(pool, guardId, parcelOf('a'));
  await completeParcel(pool, id, [failed('a')]);
  expect(await known(guardId, 'a')).toMatchObject({ error: 'died', errorIsFresh: true });
  await pool.query(`update parcels set finished_at = finished_at - interval '11 minutes' where id = $1`, [
    id,
  ]);
  expect(await known(guardId, 'a')).toMatchObject({ error: 'died', errorIsFresh: false });
});

test('a parcel that nobody waits for is cancelled, and a run that needs its contents takes it up', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const express = await submitExpress(pool, run.guardId, parcelOf('a'));
  await submitWindow(pool, windowOf(run, ['a'], { parcels: [] }));
  expect(await cancelAbandonedExpress(pool, run.guardId)).toBe(0);
  await pool.query(`update parcels set created_at = created_at - interval '61 seconds' where id = $1`, [
    express,
  ]);
  const other = await anotherRun(pool, (await newRun(pool)).guardId);
  expect(await cancelAbandonedExpress(pool, other.guardId)).toBe(0);
  expect(await cancelAbandonedExpress(pool, run.guardId)).toBe(1);
  expect(await leaseParcel(pool, express)).toBeUndefined();

  expect(await adoptParcels(pool, run.runId)).toEqual([express]);
  expect(await waitingParcels(pool, run.guardId, 10)).toEqual([express]);
  expect(await waitingExpress(pool, [express])).toEqual([]);
});

test('only express parcels that still wait are cancelled', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [bulk = 0] = (await submitWindow(pool, windowOf(run, ['a']))) ?? [];
  const done = await submitExpress(pool, run.guardId, parcelOf('bb'));
  await completeParcel(pool, done, [scored('bb')]);
  const waiting = await submitExpress(pool, run.guardId, parcelOf('ccc'));
  await cancelExpress(pool, [bulk, done, waiting]);
  const { rows } = await pool.query('select id, state from parcels where id = any($1) order by id', [
    [bulk, done, waiting],
  ]);
  expect(rows).toEqual([
    { id: bulk, state: 'waiting' },
    { id: done, state: 'done' },
    { id: waiting, state: 'cancelled' },
  ]);
});

test('express parcels that are over are forgotten after an hour: scores stay, and what has none is asked for anew', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  await submitWindow(pool, windowOf(run, ['bulk']));
  const done = await submitExpress(pool, run.guardId, parcelOf('done'));
  await completeParcel(pool, done, [scored('done')]);
  const cancelled = await submitExpress(pool, run.guardId, parcelOf('cancelled'));
  await cancelExpress(pool, [cancelled]);
  await submitExpress(pool, run.guardId, parcelOf('waiting'));
  expect(await forgetExpress(pool, run.guardId)).toBe(0);
  await pool.query(`update parcels set created_at = created_at - interval '2 hours' where guard_id = $1`, [
    run.guardId,
  ]);
  expect(await forgetExpress(pool, run.guardId)).toBe(2);
  expect(await known(run.guardId, 'done')).toMatchObject({ score: 0.5, parcelId: null });
  expect(await known(run.guardId, 'cancelled')).toMatchObject({ score: null, error: null, parcelId: null });
  expect(await knownContents(pool, run.guardId, [hashOf('cancelled')])).toEqual([]);
  const again = await submitExpress(pool, run.guardId, parcelOf('cancelled'));
  expect(await known(run.guardId, 'cancelled')).toMatchObject({ parcelId: again });
});

test('whoever listens hears of express parcels that are done and of no others, and again after its connection broke', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const heard: number[] = [];
  const trouble: string[] = [];
  const listener = await ExpressListener.open(
    pool,
    (id) => heard.push(id),
    (error) => trouble.push(error.message),
  );
  const [bulk = 0] = (await submitWindow(pool, windowOf(run, ['a']))) ?? [];
  await completeParcel(pool, bulk, [scored('a')]);
  const first = await submitExpress(pool, run.guardId, parcelOf('bb'));
  await completeParcel(pool, first, [scored('bb')]);
  await completeParcel(pool, first, [scored('bb')]);
  await expect.poll(() => heard).toEqual([first]);

  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen tocsin_express' and datname = current_database()`,
  );
  await expect.poll(() => trouble).toHaveLength(1);
  const second = await submitExpress(pool, run.guardId, parcelOf('ccc'));
  while (!heard.includes(second)) {
    await pool.query(`select pg_notify('tocsin_express', $1)`, [String(second)]);
    await sleep(50);
  }
  listener.close();
});
