import { readFile } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import { createPool, type Pool } from './connect.js';
import { migrateSchema } from './migrate.js';
import { TestDatabase } from './testing/index.js';

const JOURNAL = new URL('../migrations/meta/_journal.json', import.meta.url);
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const database of open.splice(0)) await database.close();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await TestDatabase.empty();
  open.push(database);
  return database;
}

async function tablesOf(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    `select table_name as name from information_schema.tables where table_schema = 'public' order by 1`,
  );
  return rows.map((row) => row.name);
}

test('six processes that migrate an empty database at once all succeed', async () => {
  const database = await emptyDatabase();
  const pools = Array.from({ length: 6 }, () =>
    createPool(database.url, { applicationName: 'tocsin test', max: 1 }),
  );
  await Promise.all(pools.map((pool) => migrateSchema(pool)));
  await Promise.all(pools.map((pool) => pool.end()));

  expect(await tablesOf(database.pool)).toEqual([
    'api_keys',
    'audit_log',
    'batches',
    'deliveries',
    'file_chunks',
    'files',
    'firings',
    'guards',
    'installation',
    'item_texts',
    'items',
    'parcels',
    'policies',
    'policy_changes',
    'ranking_chunks',
    'review_leases',
    'run_rankings',
    'runs',
    'schedules',
    'scores',
    'sessions',
    'verdicts',
  ]);
  const { rows } = await database.pool.query('select count(*) as count from drizzle.__drizzle_migrations');
  const { entries } = JSON.parse(await readFile(JOURNAL, 'utf8')) as { entries: unknown[] };
  expect(rows).toEqual([{ count: entries.length }]);
});

test('a schema that is up to date is left alone', async () => {
  const { pool } = await emptyDatabase();
  await migrateSchema(pool);
  await pool.query(`insert into guards (fingerprint, ref) values ('f', 'r')`);
  await migrateSchema(pool);
  expect((await pool.query('select ref from guards')).rows).toEqual([{ ref: 'r' }]);
});

test('a schema of a newer version is refused, and the lock let go', async () => {
  const { pool } = await emptyDatabase();
  await migrateSchema(pool);
  await pool.query(`insert into drizzle.__drizzle_migrations (hash, created_at) values ('later', 9e12)`);
  await expect(migrateSchema(pool)).rejects.toThrow('set up by a newer version of Tocsin');
  const { rows } = await pool.query(`select from pg_locks join pg_database on pg_database.oid = database
     where locktype = 'advisory' and datname = current_database()`);
  expect(rows).toEqual([]);
});
