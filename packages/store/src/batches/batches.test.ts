import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { beginFile, completeFile, findFile } from '../files/files.js';
import { newRun } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import {
  addBatch,
  attendBatch,
  type BatchRow,
  cancelBatch,
  changeBatch,
  endBatch,
  findBatch,
  leaveBatch,
  settleBatches,
  takeBatch,
} from './batches.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database?.close());
beforeEach(() => database.pool.query('delete from batches'));

let ids = 0;
function add(): Promise<BatchRow> {
  return addBatch(database.pool, {
    id: `batch_${++ids}`,
    inputFile: 'file-in',
    endpoint: '/v1/moderations',
    completionWindow: '24h',
    metadata: { night: '24' },
    expiresAt: new Date(Date.now() + 60_000),
  });
}

async function taken(): Promise<BatchRow> {
  const batch = await takeBatch(database.pool);
  if (batch === undefined) throw new Error('there is nothing to take');
  return batch;
}

const stateOf = async ({ id }: BatchRow): Promise<string | undefined> =>
  (await findBatch(database.pool, id))?.state;

test('a batch is taken once, the oldest first, until it is left or its process is gone', async () => {
  const { pool } = database;
  const [first, second] = [await add(), await add()];
  const together = await Promise.all([takeBatch(pool), takeBatch(pool), takeBatch(pool)]);
  expect(together.map((batch) => batch?.id).toSorted()).toEqual([first.id, second.id, undefined]);
  const mine = together.find((batch) => batch?.id === first.id);
  if (mine === undefined) throw new Error('it was not taken');
  await leaveBatch(pool, mine);
  const again = await taken();
  expect(again).toMatchObject({ id: first.id, takes: 2, metadata: { night: '24' }, state: 'validating' });
  await pool.query(`update batches set seen_at = seen_at - interval '1 minute' where id = $1`, [first.id]);
  expect(await takeBatch(pool)).toMatchObject({ id: first.id, takes: 3 });

  // Who was slow changes nothing any more.
  expect(await attendBatch(pool, again)).toBeUndefined();
  expect(await changeBatch(pool, again, { state: 'failed' })).toBeUndefined();
  await leaveBatch(pool, again);
  expect(await takeBatch(pool)).toBeUndefined();
  expect(await stateOf(first)).toBe('validating');
});

test('while its run is scored nobody has it; when that is over, it is to be finalized', async () => {
  const { pool } = database;
  const batch = await add();
  const { runId } = await newRun(pool);
  const mine = await taken();
  await changeBatch(pool, mine, { runId, model: 'starter' });
  expect(await changeBatch(pool, mine, { state: 'in_progress', total: 3, failed: 1 })).toMatchObject({
    runId,
    model: 'starter',
    state: 'in_progress',
    total: 3,
    completed: 0,
    failed: 1,
    inProgressAt: expect.any(Date) as Date,
  });
  expect([await settleBatches(pool), await takeBatch(pool)]).toEqual([0, undefined]);
  await pool.query(`update runs set state = 'done' where id = $1`, [runId]);
  expect(await settleBatches(pool)).toBe(1);
  expect(await takeBatch(pool)).toMatchObject({ id: batch.id, state: 'finalizing' });
});

test('one whose run is gone, and one whose time is up, are to be finalized too', async () => {
  const { pool } = database;
  const [lost, late] = [await add(), await add()];
  const { runId } = await newRun(pool);
  await changeBatch(pool, await taken(), { runId, state: 'in_progress' });
  const submitting = await taken();
  await pool.query('delete from runs where id = $1', [runId]);
  await pool.query('update batches set expires_at = now() where id = $1', [late.id]);
  expect(await settleBatches(pool)).toBe(2);
  expect(await takeBatch(pool)).toMatchObject({ id: lost.id, runId: null });
  // Whoever submits it finds out, and it is nobody else's until then.
  expect(await takeBatch(pool)).toBeUndefined();
  expect(await attendBatch(pool, submitting)).toMatchObject({ id: late.id, state: 'finalizing' });
  expect(await changeBatch(pool, submitting, { state: 'in_progress' })).toBeUndefined();
});

test('a batch is cancelled until its run is over', async () => {
  const { pool } = database;
  const batch = await add();
  const mine = await taken();
  expect(await cancelBatch(pool, batch.id)).toMatchObject({
    state: 'cancelling',
    cancellingAt: expect.any(Date) as Date,
  });
  expect(await cancelBatch(pool, batch.id)).toBeUndefined();
  expect(await changeBatch(pool, mine, { state: 'in_progress' })).toBeUndefined();
  await leaveBatch(pool, mine);
  expect(await takeBatch(pool)).toMatchObject({ id: batch.id, state: 'cancelling' });
  expect(await cancelBatch(pool, 'batch_nothing')).toBeUndefined();
});

test('it ends with its files, or without any of it when another has taken it', async () => {
  const { pool } = database;
  const batch = await add();
  const slow = await taken();
  await leaveBatch(pool, slow);
  const mine = await taken();
  await cancelBatch(pool, batch.id);
  await beginFile(pool, { id: 'file-out', filename: 'out.jsonl', purpose: 'batch_output' });
  const end = {
    ...({ state: 'cancelled', total: 2, completed: 1, failed: 1 } as const),
    output: { id: 'file-out', bytes: 0 },
    errors: undefined,
  };
  expect(await endBatch(pool, slow, end)).toBe(false);
  expect(await findFile(pool, 'file-out')).toBeUndefined();
  // A file that was deleted meanwhile.
  await expect(endBatch(pool, mine, { ...end, errors: { id: 'file-gone', bytes: 1 } })).rejects.toThrow(
    'file-gone',
  );
  expect(await stateOf(batch)).toBe('cancelling');
  expect(await endBatch(pool, mine, end)).toBe(true);
  expect(await findFile(pool, 'file-out')).toMatchObject({ bytes: 0 });
  expect(await findBatch(pool, batch.id)).toMatchObject({
    state: 'cancelled',
    total: 2,
    completed: 1,
    failed: 1,
    outputFile: 'file-out',
    errorFile: null,
    cancelledAt: expect.any(Date) as Date,
  });
  expect(await takeBatch(pool)).toBeUndefined();
  await completeFile(pool, 'file-out', 0);
});
