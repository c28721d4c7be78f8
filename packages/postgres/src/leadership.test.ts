import { afterAll, beforeAll, expect, test } from 'vitest';
import { Leadership } from './leadership.js';
import { TestDatabase } from './testing/index.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

test('one of a guard leads until it lets go; other guards have leaders of their own', async () => {
  const { pool } = database;
  const [one, two, other] = [new Leadership(pool, 1), new Leadership(pool, 1), new Leadership(pool, 2)];
  expect(await one.held()).toBe(true);
  expect(await two.held()).toBe(false);
  expect(await other.held()).toBe(true);
  expect(await one.held()).toBe(true);
  one.release();
  await expect.poll(() => two.held()).toBe(true);
  expect(await one.held()).toBe(false);
  two.release();
  other.release();
});

test('a leader whose connection ends leads no longer, finds out at its next look, and can lead again', async () => {
  const { pool } = database;
  const [one, two] = [new Leadership(pool, 3), new Leadership(pool, 3)];
  expect(await one.held()).toBe(true);
  await pool.query(
    `select pg_terminate_backend(pid) from pg_locks join pg_database on pg_database.oid = database
     where locktype = 'advisory' and granted and datname = current_database()`,
  );
  await expect.poll(() => two.held()).toBe(true);
  await expect(one.held()).rejects.toThrow();
  expect(await one.held()).toBe(false);
  two.release();
  await expect.poll(() => one.held()).toBe(true);
  one.release();
});
