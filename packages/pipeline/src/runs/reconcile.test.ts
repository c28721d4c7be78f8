import { ParcelQueue, ParcelWorker, prepareBackend, queueNameOf } from '@tocsin/queue';
import { createRun, registerGuard, submitWindow } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { reconcile } from './reconcile.js';

const EVERY_MS = 50;

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.withQueue(prepareBackend);
});
afterAll(() => database.close());

test('a parcel that was never queued, or that the queue has lost, comes to a worker', async () => {
  const { pool } = database;
  const { id: guardId, queue: uuid } = await registerGuard(pool, 'f', 'test');
  const name = queueNameOf(uuid);
  const runId = await createRun(pool, guardId, 'test');
  const content = { seq: 1, key: 'a', content: Buffer.alloc(32), truncated: false, reject: null };
  const [lost] =
    (await submitWindow(pool, {
      runId,
      guardId,
      afterRows: 0,
      items: [content],
      parcels: [{ hashes: [content.content], tokenIds: [Int32Array.of(1)] }],
      stranded: [],
      counts: { fresh: 1, known: 0, duplicates: 0, rejected: 0 },
    })) ?? [];

  const queue = new ParcelQueue(database.backend, name);
  const stop = new AbortController();
  const reconciling = reconcile({ pool, queue, guardId, runId, everyMs: EVERY_MS }, stop.signal);
  // A failing handler makes the queue forget the parcel, which is still pending in the store.
  const got: number[] = [];
  await new Promise<void>((resolve) => {
    const worker = new ParcelWorker(
      database.backend,
      name,
      async (id) => {
        got.push(id);
        if (got.length < 3) throw new Error('not this time');
        void worker.close().then(resolve);
      },
      { concurrency: 1 },
    );
  });
  stop.abort(new Error('over'));
  await expect(reconciling).rejects.toThrow();
  await queue.close();
  expect(got).toEqual([lost, lost, lost]);
});

test('a run is attended however long the rest of a look takes', async () => {
  const { pool } = database;
  const { id: guardId, queue: uuid } = await registerGuard(pool, 'slow', 'test');
  const runId = await createRun(pool, guardId, 'test');
  const queue = new ParcelQueue(database.backend, queueNameOf(uuid));
  const stop = new AbortController();
  const seenAt = async (): Promise<string | undefined> => {
    const { rows } = await pool.query<{ at: string }>('select seen_at::text as at from runs where id = $1', [
      runId,
    ]);
    return rows[0]?.at;
  };
  const blocker = await pool.connect();
  // The leader reads parcels first, and blocks here.
  await blocker.query('begin; lock table parcels in access exclusive mode');
  const reconciling = reconcile({ pool, queue, guardId, runId, everyMs: EVERY_MS }, stop.signal);
  for (let look = 0; look < 3; look++) {
    const before = await seenAt();
    await expect.poll(seenAt).not.toBe(before);
  }
  const { rows } = await pool.query(
    `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
  );
  expect(rows).toHaveLength(1);
  await blocker.query('rollback');
  blocker.release();
  stop.abort(new Error('over'));
  await expect(reconciling).rejects.toThrow();
  await queue.close();
});
