import type { CostModel, RowOutcome } from '@tocsin/engine';
import { ParcelQueue, prepareBackend, queueNameOf } from '@tocsin/queue';
import { createRun, exportRows, registerGuard, runProgress, submitWindow } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Worker } from './worker.js';

const COSTS: CostModel = { budgetTokens: 1024, overheadMs: 1, tokenMs: 1, cellMs: 0 };
const TOKENS = [11, 22, 33];

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.withQueue(prepareBackend);
});
afterAll(() => database.close());

let guards = 0;

/** A parcel with one token per content, in store and queue, and a worker that scores with `score` until `over`. */
async function work(
  score: (rows: Int32Array[]) => Promise<RowOutcome[]>,
): Promise<{ runId: number; failure: Error | undefined }> {
  const { pool } = database;
  const fingerprint = String(++guards).padEnd(64, '-');
  const { id: guardId, queue: uuid } = await registerGuard(pool, fingerprint, 'test');
  const runId = await createRun(pool, guardId, 'test');
  const items = TOKENS.map((token, i) => {
    const content = Buffer.alloc(32, `${guards} ${token}`);
    return { seq: i + 1, key: String(token), content, truncated: false, reject: null };
  });
  const parcel = {
    hashes: items.map(({ content }) => content),
    tokenIds: TOKENS.map((token) => Int32Array.of(token)),
  };
  const counts = { fresh: 3, known: 0, duplicates: 0, rejected: 0 };
  const window = { runId, guardId, afterRows: 0, items, parcels: [parcel], stranded: [], counts };
  const queue = new ParcelQueue(database.backend, queueNameOf(uuid));
  await queue.add((await submitWindow(pool, window)) ?? []);
  await queue.close();

  const failure = await new Promise<Error | undefined>((resolve) => {
    const scorer = { score, costModel: COSTS };
    const worker = new Worker({
      pool,
      backend: database.backend,
      queue: uuid,
      scorer,
      onFailure: (error) => void end(error),
    });
    const end = async (error?: Error): Promise<void> => {
      clearInterval(look);
      await worker.close();
      resolve(error);
    };
    const look = setInterval(async () => {
      if ((await runProgress(pool, runId)).parcelsWaiting === 0) await end();
    }, 50);
  });
  return { runId, failure };
}

async function outcomesOf(runId: number) {
  for await (const page of exportRows(database.pool, runId))
    return page.map(({ key, score, error }) => ({ key, score, error }));
}

test('a parcel is scored in its order; a row that cannot be scored has an error, its neighbours their scores', async () => {
  const score = async (rows: Int32Array[]): Promise<RowOutcome[]> =>
    rows.map(([token = 0]) => (token === 22 ? { error: 'the engine process died' } : { score: token / 64 }));
  const { runId, failure } = await work(score);
  expect(failure).toBeUndefined();
  expect(await outcomesOf(runId)).toEqual([
    { key: '11', score: 11 / 64, error: null },
    { key: '22', score: null, error: 'the engine process died' },
    { key: '33', score: 33 / 64, error: null },
  ]);
});

test('when the engine is broken, the worker is told, and the parcel still waits for one that works', async () => {
  const { runId, failure } = await work(() => Promise.reject(new Error('the engine fails on every row')));
  expect(failure?.message).toBe('the engine fails on every row');
  expect(await runProgress(database.pool, runId)).toMatchObject({ parcelsWaiting: 1, contentsDone: 0 });
});

test('outcomes that do not fit the parcel are not stored', async () => {
  const { runId, failure } = await work(async () => [{ score: 0.5 }]);
  expect(failure?.message).toBe('3 contents gave 1 outcomes');
  expect(await runProgress(database.pool, runId)).toMatchObject({ parcelsWaiting: 1 });
});

test('past the drain limit a parcel is given back: it waits again, and another worker has it at once', async () => {
  const { pool } = database;
  const { id: guardId, queue: uuid } = await registerGuard(pool, 'drained', 'test');
  const runId = await createRun(pool, guardId, 'test');
  const content = Buffer.alloc(32, 'drained');
  const counts = { fresh: 1, known: 0, duplicates: 0, rejected: 0 };
  const parcels = [{ hashes: [content], tokenIds: [Int32Array.of(1)] }];
  const items = [{ seq: 1, key: '1', content, truncated: false, reject: null }];
  const queue = new ParcelQueue(database.backend, queueNameOf(uuid));
  await queue.add(
    (await submitWindow(pool, { runId, guardId, afterRows: 0, items, parcels, stranded: [], counts })) ?? [],
  );
  await queue.close();
  const failures: Error[] = [];
  const options = {
    pool,
    backend: database.backend,
    queue: uuid,
    onFailure: (error: Error) => void failures.push(error),
  };

  let begun = (): void => {};
  const scoring = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const hangs = (): Promise<RowOutcome[]> => {
    begun();
    return new Promise(() => {});
  };
  const stuck = new Worker({ ...options, scorer: { score: hangs, costModel: COSTS } });
  await scoring;
  expect(await stuck.close(100)).toBe(1);
  expect(await runProgress(pool, runId)).toMatchObject({ parcelsWaiting: 1 });

  const suspects: number[] = [];
  const other = new Worker({
    ...options,
    scorer: { score: async (rows) => rows.map(() => ({ score: 0.5 })), costModel: COSTS },
    onSuspect: (parcelId) => suspects.push(parcelId),
  });
  await expect.poll(async () => (await runProgress(pool, runId)).parcelsWaiting).toBe(0);
  expect(await other.close(1000)).toBe(0);
  expect([failures, suspects]).toEqual([[], []]);
});
