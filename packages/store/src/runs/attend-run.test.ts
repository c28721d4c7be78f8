import { inTransaction } from '@tocsin/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { submitWindow } from '../parcels/submit-window.js';
import { adoptParcels, waitingParcels } from '../parcels/waiting-parcels.js';
import { anotherRun, newRun, scoreParcel, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import {
  ABANDONED_AFTER_SECONDS,
  attendRun,
  cancelAbandonedRuns,
  leaveRun,
  unattendedRuns,
} from './attend-run.js';
import { cancelRun, failRun, finishRun } from './finish-run.js';
import { getRun } from './read-runs.js';
import { setRunState } from './runs.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

/** As if the process of a run had been silent for so long. */
async function silentFor(runId: number, seconds: number): Promise<void> {
  await database.pool.query('update runs set seen_at = now() - make_interval(secs => $2) where id = $1', [
    runId,
    seconds,
  ]);
}

test('a run that nobody attends any more is cancelled with its parcels, and no other run is', async () => {
  const { pool } = database;
  const killed = await newRun(pool);
  const alive = await anotherRun(pool, killed.guardId);
  await submitWindow(pool, windowOf(killed, ['a']));
  const kept = (await submitWindow(pool, windowOf(alive, ['b']))) ?? [];
  await silentFor(killed.runId, ABANDONED_AFTER_SECONDS + 5);
  await silentFor(alive.runId, ABANDONED_AFTER_SECONDS + 5);
  // Both look alike: what is not attended even now is abandoned.
  const unattended = await unattendedRuns(pool);
  expect(unattended.map(({ id }) => id)).toEqual([killed.runId, alive.runId]);
  await attendRun(pool, alive.runId);

  expect(await cancelAbandonedRuns(pool, unattended)).toEqual([killed.runId]);
  await expect(attendRun(pool, killed.runId)).rejects.toThrow(`run ${killed.runId} was cancelled`);
  expect(await getRun(pool, killed.runId)).toMatchObject({
    state: 'cancelled',
    reason: expect.stringContaining('is gone') as string,
  });
  expect(await waitingParcels(pool, killed.guardId, 10)).toEqual(kept);
  expect(await cancelAbandonedRuns(pool, unattended)).toEqual([]);
  expect(await unattendedRuns(pool)).toEqual([]);
});

test('a run that is being finished is never taken for abandoned, however long that takes', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const window = windowOf(run, ['a']);
  window.items = window.items.map((item) => ({ ...item, json: '{"text":"a"}' }));
  const [parcel = 0] = (await submitWindow(pool, window)) ?? [];
  await scoreParcel(pool, parcel, { a: 0.5 });
  await setRunState(pool, run.runId, 'scoring');
  // The last heartbeat was long ago: the machine is busy.
  await silentFor(run.runId, ABANDONED_AFTER_SECONDS + 5);
  const unattended = await unattendedRuns(pool);
  const finishing = await inTransaction(pool, async (client) => {
    // The texts that are not retained cannot be deleted yet.
    await client.query('select from item_texts where run_id = $1 for update', [run.runId]);
    const finished = finishRun(pool, run.runId);
    await expect.poll(async () => (await unattendedRuns(pool)).length).toBe(0);
    expect(await cancelAbandonedRuns(pool, unattended)).toEqual([]);
    return { finished };
  });
  expect(await finishing.finished).toBe('done');
  expect(await getRun(pool, run.runId)).toMatchObject({ state: 'done', scored: 1 });
});

test('a run whose process is gone is done when every row has its outcome, and so is one that is cancelled then', async () => {
  const { pool } = database;
  for (const end of ['abandoned', 'cancelled', 'failed'] as const) {
    const run = await newRun(pool);
    const [parcel = 0] = (await submitWindow(pool, windowOf(run, ['a']))) ?? [];
    await setRunState(pool, run.runId, 'scoring');
    await scoreParcel(pool, parcel, { a: 0.5 });
    if (end === 'abandoned') {
      await silentFor(run.runId, ABANDONED_AFTER_SECONDS + 5);
      expect(await cancelAbandonedRuns(pool, await unattendedRuns(pool))).toEqual([]);
    } else if (end === 'cancelled') expect(await cancelRun(pool, run.runId)).toBe(false);
    else expect(await failRun(pool, run.runId, 'too late')).toBe(false);
    expect(await getRun(pool, run.runId)).toMatchObject({ state: 'done', reason: null, scored: 1 });
  }
});

test('what an abandoned run had claimed is taken up by the next run that needs it', async () => {
  const { pool } = database;
  const killed = await newRun(pool);
  const parcels = (await submitWindow(pool, windowOf(killed, ['a', 'b']))) ?? [];
  await silentFor(killed.runId, ABANDONED_AFTER_SECONDS + 5);
  await cancelAbandonedRuns(pool, await unattendedRuns(pool));

  const next = await anotherRun(pool, killed.guardId);
  await submitWindow(pool, windowOf(next, ['b'], { parcels: [] }));
  expect(await adoptParcels(pool, next.runId)).toEqual(parcels);
});

test('a run that was left to the workers stays so, whoever attends it still', async () => {
  const { pool } = database;
  const { runId } = await newRun(pool);
  await attendRun(pool, runId);
  // The process attends and leaves it side by side; either may come last.
  for (let i = 0; i < 10; i++) await Promise.all([leaveRun(pool, runId), attendRun(pool, runId)]);
  await attendRun(pool, runId);
  expect(await getRun(pool, runId)).toMatchObject({ state: 'scoring', seenAt: null });
  // The workers may bring it to its end before its process has left.
  await finishRun(pool, runId);
  await attendRun(pool, runId);
  await leaveRun(pool, runId);
  expect(await getRun(pool, runId)).toMatchObject({ state: 'done' });
});

test('a process that works for a run which somebody has ended is told how', async () => {
  const { pool } = database;
  const { runId } = await newRun(pool);
  await cancelRun(pool, runId);
  await expect(leaveRun(pool, runId)).rejects.toThrow(`run ${runId} was cancelled`);
  await expect(attendRun(pool, runId)).rejects.toThrow(`run ${runId} was cancelled`);
  const failing = await newRun(pool);
  await failRun(pool, failing.runId, 'the disk is full');
  const told = `run ${failing.runId} has failed: the disk is full`;
  await expect(attendRun(pool, failing.runId)).rejects.toThrow(told);
  await expect(leaveRun(pool, failing.runId)).rejects.toThrow(told);
  await expect(submitWindow(pool, windowOf(failing, ['a']))).rejects.toThrow(told);
});
