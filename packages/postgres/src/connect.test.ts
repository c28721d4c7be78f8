import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createPool, inTransaction, requireConnection } from './connect.js';
import { TestDatabase } from './testing/index.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

describe('a server that does not answer', () => {
  async function refusal(change: (url: URL) => void): Promise<{ message: string; hint?: string }> {
    const url = new URL(database.url);
    change(url);
    const pool = createPool(url.href, { applicationName: 'tocsin test', max: 1 });
    try {
      await requireConnection(pool, url.href);
    } catch (error) {
      return error as Error & { hint?: string };
    } finally {
      await pool.end();
    }
    throw new Error('it answered');
  }

  test('because nobody listens', async () => {
    const { message, hint } = await refusal((url) => {
      url.port = '1';
      url.password = 's3cret';
    });
    expect(message).toMatch(
      /^Postgres at postgres:\/\/tocsin@127.0.0.1:1\/\w+ does not answer: .*ECONNREFUSED/,
    );
    expect(`${message} ${hint}`).not.toContain('s3cret');
    expect(hint).toContain('DATABASE_URL');
  });

  test('because the password is wrong', async () => {
    const { message, hint } = await refusal((url) => {
      url.password = 's3cret';
    });
    expect(message).toContain('password authentication failed');
    expect(message).not.toContain('s3cret');
    expect(hint).toContain('user name and the password');
  });
});

test('bigint columns are numbers, others as always', async () => {
  const { rows } = await database.pool.query(
    `select 2::bigint ^ 0 as real, 9007199254740991 as big, 1.5::numeric as n`,
  );
  expect(rows).toEqual([{ real: 1, big: 9007199254740991, n: '1.5' }]);
});

test('an error in a transaction rolls it back, and its connection goes on', async () => {
  const pool = createPool(database.url, { applicationName: 'tocsin test', max: 1 });
  await pool.query('create table public.t (n int)');
  const failing = inTransaction(pool, async (client) => {
    await client.query('insert into public.t values (1)');
    throw new Error('changed my mind');
  });
  await expect(failing).rejects.toThrow('changed my mind');
  expect((await pool.query('select count(*) as count from public.t')).rows).toEqual([{ count: 0 }]);
  await pool.end();
});

test('a connection that breaks in a transaction is not used again', async () => {
  const pool = createPool(database.url, { applicationName: 'tocsin test', max: 1 });
  const broken = inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    await database.pool.query('select pg_terminate_backend($1)', [rows[0]?.pid]);
    await client.query('select 1');
  });
  await expect(broken).rejects.toThrow();
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await pool.end();
});
