import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createPool, type Pool } from '@tocsin/postgres';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import { afterEach, expect, test } from 'vitest';
import { pageItems } from '../items/index.js';
import { listPolicies } from '../policies/index.js';
import { rankRun } from '../ranking/index.js';
import { findRun } from '../runs/read-runs.js';
import { TestDatabase } from '../testing/index.js';
import { migrateSchema, schemaState } from './migrate.js';

const MIGRATIONS = fileURLToPath(new URL('../../migrations', import.meta.url));
const JOURNAL = join('meta', '_journal.json');
interface Journal {
  entries: { tag: string }[];
}
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const database of open.splice(0)) await database.close();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await TestDatabase.empty();
  open.push(database);
  return database;
}

async function journal(): Promise<Journal> {
  return JSON.parse(await readFile(join(MIGRATIONS, JOURNAL), 'utf8')) as Journal;
}

/** A database as an older version of Tocsin has left it: the last migration that it knew is this one. */
async function databaseUpTo(tag: string): Promise<TestDatabase> {
  const database = await emptyDatabase();
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-migrations-'));
  try {
    await cp(MIGRATIONS, folder, { recursive: true });
    const { entries, ...rest } = await journal();
    const known = entries.slice(0, entries.findIndex((entry) => entry.tag === tag) + 1);
    await writeFile(join(folder, JOURNAL), JSON.stringify({ ...rest, entries: known }));
    await migrate(drizzle(database.pool), { migrationsFolder: folder });
  } finally {
    await rm(folder, { recursive: true });
  }
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
  expect(rows).toEqual([{ count: (await journal()).entries.length }]);
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

test("another application's migrations are not taken for Tocsin's, however new they are", async () => {
  const { pool } = await emptyDatabase();
  await pool.query(`create schema drizzle;
    create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint)`);
  for (const at of [1, 9e12]) {
    await pool.query(`insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', $1)`, [
      at,
    ]);
    await expect(migrateSchema(pool)).rejects.toThrow('another application that uses drizzle');
  }
  expect(await tablesOf(pool)).toEqual([]);
});

test('what a database of the version before the dashboard holds is kept, and can be looked at in it', async () => {
  const { pool } = await databaseUpTo('0005_lost_leases');
  expect(await schemaState(pool)).toBe('older');
  await pool.query(`
    insert into guards (fingerprint, ref) values ('f', 'starter');
    insert into runs (guard_id, name, state, threshold, retain, rows, fresh, finished_at)
      values (1, 'old.jsonl', 'done', 0.5, 'all', 2, 2, now());
    insert into items (run_id, seq, key, content) values (1, 1, 'a', '\\x01'), (1, 2, 'b', '\\x02');
    insert into scores (guard_id, content, parcel_id, tokens, score) values (1, '\\x01', 1, 1, 0.25), (1, '\\x02', 1, 1, 0.75);
    insert into item_texts (run_id, seq, json) values (1, 1, '{"text":"calm sea"}'), (1, 2, '{"text":"high sea"}');`);
  await migrateSchema(pool);
  expect(await schemaState(pool)).toBe('current');

  const run = await findRun(pool, 1);
  expect(run).toMatchObject({
    name: 'old.jsonl',
    guard: 'starter',
    ownerKey: null,
    rows: 2,
    countedAt: null,
  });
  expect(await rankRun(pool, 1)).toMatchObject({ final: true, scored: 2 });
  const found = await pageItems(
    pool,
    { id: 1, guardId: 1 },
    { order: 'score_desc', limit: 9, search: 'sea', texts: true },
  );
  expect(found.rows).toMatchObject([
    { key: 'b', score: 0.75, json: '{"text":"high sea"}' },
    { key: 'a', score: 0.25, json: '{"text":"calm sea"}' },
  ]);
  expect((await listPolicies(pool)).map(({ name }) => name)).toEqual(['strict', 'default', 'permissive']);
});
