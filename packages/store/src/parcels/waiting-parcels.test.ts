import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cancelRun } from '../runs/finish-run.js';
import { findRun } from '../runs/read-runs.js';
import { hasUnresolvedItems } from '../runs/run-progress.js';
import { setRunState } from '../runs/runs.js';
import { anotherRun, hashOf, newRun, parcelOf, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { completeParcel } from './complete-parcel.js';
import { leaseParcel } from './lease-parcel.js';
import { submitWindow } from './submit-window.js';
import { adoptParcels, waitingParcels } from './waiting-parcels.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

async function stateOf(table: 'runs' | 'parcels', id: number): Promise<unknown> {
  const { rows } = await database.pool.query(`select state from ${table} where id = $1`, [id]);
  return rows[0]?.state;
}

test('the oldest parcels of the guard that wait, of whatever run', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const other = await anotherRun(pool, run.guardId);
  const foreign = await newRun(pool);
  const parcels = ['a', 'b', 'c'].map((word) => parcelOf(word));
  const [first = 0, second = 0, third = 0] =
    (await submitWindow(pool, windowOf(run, ['a', 'b', 'c'], { parcels }))) ?? [];
  const [fourth = 0] = (await submitWindow(pool, windowOf(other, ['d']))) ?? [];
  await submitWindow(pool, windowOf(foreign, ['a']));
  await completeParcel(pool, second, [{ hash: hashOf('b'), tokens: 1, score: 0.5, error: null }]);

  expect(await waitingParcels(pool, run.guardId, 10)).toEqual([first, third, fourth]);
  expect(await waitingParcels(pool, run.guardId, 2)).toEqual([first, third]);
});

describe('a cancelled run', () => {
  test('takes its waiting parcels along; they keep what they hold', async () => {
    const { pool } = database;
    const run = await newRun(pool);
    const [parcel = 0] = (await submitWindow(pool, windowOf(run, ['a', 'b']))) ?? [];
    await cancelRun(pool, run.runId);
    expect(await stateOf('runs', run.runId)).toBe('cancelled');
    expect(await stateOf('parcels', parcel)).toBe('cancelled');
    expect(await leaseParcel(pool, parcel)).toBeUndefined();
    expect(await waitingParcels(pool, run.guardId, 10)).toEqual([]);

    // Late news of a run that is over change nothing.
    await setRunState(pool, run.runId, 'scoring');
    expect(await stateOf('runs', run.runId)).toBe('cancelled');
  });

  test('leaves its contents to the next run that comes to them', async () => {
    const { pool } = database;
    const run = await newRun(pool);
    const [parcel = 0] = (await submitWindow(pool, windowOf(run, ['a', 'b']))) ?? [];
    await cancelRun(pool, run.runId);
    const next = await anotherRun(pool, run.guardId);
    const window = windowOf(next, ['a', 'b'], { parcels: [], stranded: [parcel] });
    expect(await submitWindow(pool, window)).toEqual([parcel]);
    expect((await leaseParcel(pool, parcel))?.hashes).toEqual([hashOf('a'), hashOf('b')]);
    expect(await findRun(pool, next.runId)).toMatchObject({ rows: 2 });
  });

  test('leaves its contents to a run that waited for them already', async () => {
    const { pool } = database;
    const run = await newRun(pool);
    const parcels = [parcelOf('wanted'), parcelOf('unwanted')];
    const [wanted = 0, unwanted = 0] =
      (await submitWindow(pool, windowOf(run, ['wanted', 'unwanted'], { parcels }))) ?? [];
    const waiting = await anotherRun(pool, run.guardId);
    await submitWindow(pool, windowOf(waiting, ['wanted'], { parcels: [] }));
    expect(await adoptParcels(pool, waiting.runId)).toEqual([]);

    await cancelRun(pool, run.runId);
    expect(await adoptParcels(pool, waiting.runId)).toEqual([wanted]);
    expect(await stateOf('parcels', wanted)).toBe('waiting');
    expect(await stateOf('parcels', unwanted)).toBe('cancelled');
    expect(await adoptParcels(pool, waiting.runId)).toEqual([]);
  });

  test('that is done already stays done', async () => {
    const { pool } = database;
    const run = await newRun(pool);
    await setRunState(pool, run.runId, 'done');
    await cancelRun(pool, run.runId);
    expect(await stateOf('runs', run.runId)).toBe('done');
  });
});

test('a run of 30,000 rows that all wait for another run is looked through in one go', async () => {
  const { pool } = database;
  const words = Array.from({ length: 30_000 }, (_, i) => `many ${i}`);
  const run = await newRun(pool);
  const parcels = [parcelOf(...words.slice(1)), parcelOf(words[0] ?? '')];
  const [, last = 0] = (await submitWindow(pool, windowOf(run, words, { parcels }))) ?? [];
  const waiting = await anotherRun(pool, run.guardId);
  await submitWindow(pool, windowOf(waiting, words, { parcels: [] }));
  await pool.query(`update parcels set state = 'cancelled' where id = $1`, [last]);
  // Were every item compared with every open score, this would take minutes.
  expect(await adoptParcels(pool, waiting.runId)).toEqual([last]);
  expect(await hasUnresolvedItems(pool, waiting.runId)).toBe(true);
});
