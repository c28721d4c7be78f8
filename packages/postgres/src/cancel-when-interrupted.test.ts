import { afterAll, beforeAll, expect, test } from 'vitest';
import { cancelWhenInterrupted } from './cancel-when-interrupted.js';
import { createPool, inTransaction, type Pool } from './connect.js';
import { TestDatabase } from './testing/index.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
  await database.pool.query('create schema tocsin; create table t (n int)');
});
afterAll(() => database.close());

const CANCELLED = { code: '57014' };
/** A test that waits for a limit would fail on a slow machine, or be slow on a fast one. */
const NEVER_MS = 2 ** 30;

/** A pool whose table is locked by another, and what ends both. */
async function locked(times: { graceMs?: number; cleanUpMs?: number }) {
  const pool = createPool(database.url, { applicationName: 'tocsin test', max: 2 });
  const interrupted = new AbortController();
  cancelWhenInterrupted(pool, interrupted.signal, times);
  const holder = await database.pool.connect();
  await holder.query('begin; lock table t in access exclusive mode');
  const close = async (): Promise<void> => {
    await holder.query('rollback');
    holder.release();
    await pool.end();
  };
  return { pool, interrupted, close };
}

async function untilWaiting(count: number): Promise<void> {
  const waiting = async (): Promise<number | null> =>
    (
      await database.pool.query(
        `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
      )
    ).rowCount;
  await expect.poll(waiting).toBe(count);
}

test('statements that wait for a lock are cancelled, and what comes after them goes on', async () => {
  const { pool, interrupted, close } = await locked({ cleanUpMs: NEVER_MS });
  const waiting = [pool.query('insert into t values (1)'), pool.query('table t')];
  await untilWaiting(2);
  interrupted.abort();
  await Promise.all(waiting.map((one) => expect(one).rejects.toMatchObject(CANCELLED)));
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await close();
  expect((await database.pool.query('table t')).rows).toEqual([]);
});

test('a transaction is undone, and its connection is not used again', async () => {
  const { pool, interrupted, close } = await locked({ graceMs: 0, cleanUpMs: NEVER_MS });
  const pid = async (pool: Pick<Pool, 'query'>): Promise<number | undefined> =>
    (await pool.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
  let first: number | undefined;
  const work = inTransaction(pool, async (client) => {
    first = await pid(client);
    await client.query('insert into t values (1)');
  });
  await untilWaiting(1);
  interrupted.abort();
  await expect(work).rejects.toMatchObject(CANCELLED);
  expect(await pid(pool)).not.toBe(first);
  await close();
});

test('a statement started after the interruption has a limit of its own', async () => {
  const { pool, interrupted, close } = await locked({ graceMs: NEVER_MS, cleanUpMs: 1 });
  interrupted.abort();
  await expect(pool.query('insert into t values (1)')).rejects.toMatchObject(CANCELLED);
  await close();
});
