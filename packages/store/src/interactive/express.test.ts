import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completeParcel } from '../parcels/complete-parcel.js';
import { leaseParcel } from '../parcels/lease-parcel.js';
import { submitWindow } from '../parcels/submit-window.js';
import { adoptParcels, waitingParcels } from '../parcels/waiting-parcels.js';
import { cancelRun } from '../runs/finish-run.js';
import { knownContents } from '../scores/contents.js';
import { anotherRun, hashOf, newRun, parcelOf, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { type ExpressDone, ExpressListener } from './express-listener.js';
import {
  cancelAbandonedExpress,
  cancelExpress,
  forgetExpress,
  knownOutcomes,
  purgeExpress,
  submitExpress,
  waitingExpress,
} from './express-parcels.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const scored = (word: string, score = 0.5) => ({
  hash: hashOf(word),
  tokens: word.length,
  score,
  error: null,
});
const failed = (word: string) => ({ hash: hashOf(word), tokens: word.length, score: null, error: 'died' });

/** Asks for words of which none is known. @returns their parcel */
async function ask(guardId: number, ...words: string[]): Promise<number> {
  const { known, parcelId } = await submitExpress(database.pool, guardId, parcelOf(...words));
  expect(known).toEqual([]);
  if (parcelId === undefined) throw new Error('no parcel');
  return parcelId;
}

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
  const id = await ask(guardId, 'bb', 'a');
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
  const express = await ask(run.guardId, 'a');
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
  const express = await ask(run.guardId, 'a', 'bb');
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
  await pool.query(`update parcels set finished_at = finished_at - interval '11 minutes' where id = $1`, [
    done,
  ]);
  const express = await ask(run.guardId, 'stranded', 'failed');
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
  const id = await ask(guardId, 'a');
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
  const express = await ask(run.guardId, 'a');
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
  const done = await ask(run.guardId, 'bb');
  await completeParcel(pool, done, [scored('bb')]);
  const waiting = await ask(run.guardId, 'ccc');
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
  const done = await ask(run.guardId, 'done');
  await completeParcel(pool, done, [scored('done')]);
  const cancelled = await ask(run.guardId, 'cancelled');
  await cancelExpress(pool, [cancelled]);
  await ask(run.guardId, 'waiting');
  expect(await forgetExpress(pool, run.guardId)).toBe(0);
  await pool.query(`update parcels set created_at = created_at - interval '2 hours' where guard_id = $1`, [
    run.guardId,
  ]);
  expect(await forgetExpress(pool, run.guardId)).toBe(2);
  expect(await known(run.guardId, 'done')).toMatchObject({ score: 0.5, parcelId: null });
  expect(await known(run.guardId, 'cancelled')).toMatchObject({ score: null, error: null, parcelId: null });
  expect(await knownContents(pool, run.guardId, [hashOf('cancelled')])).toEqual([]);
  const again = await ask(run.guardId, 'cancelled');
  expect(await known(run.guardId, 'cancelled')).toMatchObject({ parcelId: again });
});

test('express parcels are purged by age, with those that nobody waits for any more; not while a run may need them', async () => {
  const { pool } = database;
  await pool.query(`delete from parcels where run_id is null`);
  await pool.query(`update runs set state = 'done', finished_at = now()`);
  const { guardId } = await newRun(pool);
  const busy = await newRun(pool);
  await pool.query(`update runs set state = 'done', finished_at = now() where guard_id = $1`, [guardId]);
  const done = await ask(guardId, 'done');
  await completeParcel(pool, done, [scored('done')]);
  await ask(guardId, 'left behind');
  const [young, needed] = [await ask(guardId, 'young'), await ask(busy.guardId, 'needed')];
  await pool.query(`update parcels set created_at = created_at - interval '2 days' where id <> $1`, [young]);
  expect(await purgeExpress(pool, 3)).toBe(0);
  expect(await purgeExpress(pool, 1)).toBe(2);
  expect(await waitingExpress(pool, [young, needed])).toEqual([young, needed]);
  expect(await known(guardId, 'done')).toMatchObject({ score: 0.5 });
  // Somebody waits for the young one.
  expect(await purgeExpress(pool, 0)).toBe(0);
});

test('what is known needs no parcel, and what is not known shares one; asking again finds it on its way', async () => {
  const { pool } = database;
  const { guardId } = await newRun(pool);
  await completeParcel(pool, await ask(guardId, 'scored', 'failed'), [
    scored('scored', 0.25),
    failed('failed'),
  ]);
  const onItsWay = await ask(guardId, 'on its way');
  const words = ['scored', 'new', 'failed', 'on its way', 'newer'];
  const { known, parcelId } = await submitExpress(pool, guardId, parcelOf(...words));
  const outcomes = new Map(known.map(({ hash, ...outcome }) => [hash.toString('hex'), outcome]));
  const none = { score: null, error: null, errorIsFresh: false, parcelId: null };
  expect(words.map((word) => outcomes.get(hashOf(word).toString('hex')))).toEqual([
    { ...none, score: 0.25 },
    undefined,
    { ...none, error: 'died', errorIsFresh: true },
    { ...none, parcelId: onItsWay },
    undefined,
  ]);
  const leased = await leaseParcel(pool, parcelId ?? 0);
  expect(leased?.hashes).toEqual(['new', 'newer'].map(hashOf).sort(Buffer.compare));
  const lengths = leased?.tokenIds.map((ids) => String.fromCodePoint(...ids));
  expect(new Set(lengths)).toEqual(new Set(['new', 'newer']));

  const again = await submitExpress(pool, guardId, parcelOf(...words));
  expect(again.parcelId).toBeUndefined();
  expect(again.known).toHaveLength(words.length);
});

/** Hears of what is done, in the order of the messages. */
async function listen() {
  const heard: ExpressDone[] = [];
  const trouble: string[] = [];
  const listener = await ExpressListener.open(
    database.pool,
    (done) => heard.push(done),
    (error) => trouble.push(error.message),
  );
  return { heard, trouble, listener };
}

test('whoever listens hears of express parcels that are done and of no others, and again after its connection broke', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const { heard, trouble, listener } = await listen();
  const [bulk = 0] = (await submitWindow(pool, windowOf(run, ['a']))) ?? [];
  await completeParcel(pool, bulk, [scored('a')]);
  const first = await ask(run.guardId, 'bb');
  await completeParcel(pool, first, [scored('bb')]);
  await completeParcel(pool, first, [scored('bb')]);
  await expect.poll(() => heard.map(({ parcelId }) => parcelId)).toEqual([first]);

  await pool.query(
    `select pg_terminate_backend(pid) from pg_stat_activity where query = 'listen "tocsin_express"' and datname = current_database()`,
  );
  await expect.poll(() => trouble).toHaveLength(1);
  const second = await ask(run.guardId, 'ccc');
  while (!heard.some(({ parcelId }) => parcelId === second)) {
    await pool.query(`select pg_notify('tocsin_express', $1)`, [
      JSON.stringify({ parcel: second, scores: null }),
    ]);
    await sleep(50);
  }
  listener.close();
});

test('the message has the scores, as the store has them: no errors, not what was there before, and not too many', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const { heard, listener } = await listen();
  const hex = (word: string): string => hashOf(word).toString('hex');
  const some = await ask(run.guardId, 'there', 'third', 'bad');
  const [bulk = 0] = (await submitWindow(pool, windowOf(run, ['there']))) ?? [];
  await completeParcel(pool, bulk, [scored('there')]);
  await completeParcel(pool, some, [scored('there'), scored('third', 1 / 3), failed('bad')]);
  await expect.poll(() => heard).toHaveLength(1);
  const [stored] = await knownOutcomes(pool, run.guardId, [hashOf('third')]);
  expect(heard).toEqual([{ parcelId: some, scores: new Map([[hex('third'), stored?.score]]) }]);

  for (const count of [90, 91]) {
    const words = Array.from({ length: count }, (_, i) => `${i} of ${count}`);
    const parcel = await ask(run.guardId, ...words);
    // Of no score has the text more letters.
    await completeParcel(
      pool,
      parcel,
      words.map((word) => scored(word, 1.2345679e-30)),
    );
  }
  await expect.poll(() => heard.map(({ scores }) => scores.size)).toEqual([1, 90, 0]);
  listener.close();
});

test('a message that is not ours is told of, and costs nothing else', async () => {
  const { pool } = database;
  const { heard, trouble, listener } = await listen();
  for (const message of ['', 'null', '12', '{}'])
    await pool.query(`select pg_notify('tocsin_express', $1)`, [message]);
  await pool.query(`select pg_notify('tocsin_express', '{"parcel":7,"scores":{}}')`);
  await expect.poll(() => heard).toEqual([{ parcelId: 7, scores: new Map() }]);
  expect(trouble).toHaveLength(4);
  listener.close();
});
