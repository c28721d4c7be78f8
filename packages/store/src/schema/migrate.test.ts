import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createPool, type Pool, withSchema } from '@tocsin/postgres';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import { ExpressListener } from '../interactive/express-listener.js';
import { submitExpress } from '../interactive/express-parcels.js';
import { completeParcel } from '../parcels/complete-parcel.js';
import { listPolicies } from '../policies/policies.js';
import { prepareRuns } from '../runs/prepare-runs.js';
import { hashOf, newRun, parcelOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { migrateSchema, schemaState } from './migrate.js';

const STORE = fileURLToPath(new URL('../..', import.meta.url));
const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const database of open.splice(0)) await database.close();
});

async function emptyDatabase(): Promise<TestDatabase> {
  const database = await TestDatabase.empty();
  open.push(database);
  return database;
}

/** A pool that is closed before the database is. */
function poolOf(url: string, max = 2): Pool {
  const pool = createPool(url, { applicationName: 'tocsin test', max });
  open.unshift({ close: () => pool.end() });
  return pool;
}

async function tablesIn(pool: Pool, schema: string): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>(
    'select table_name as name from information_schema.tables where table_schema = $1 order by 1',
    [schema],
  );
  return rows.map((row) => row.name);
}

test('six processes that migrate an empty database at once all succeed', async () => {
  const database = await emptyDatabase();
  const pools = Array.from({ length: 6 }, () => poolOf(database.url, 1));
  await Promise.all(pools.map((pool) => migrateSchema(pool)));

  expect(await tablesIn(database.pool, 'tocsin')).toEqual([
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
    'tocsin_migrations',
    'verdicts',
  ]);
  expect(await tablesIn(database.pool, 'public')).toEqual([]);
  const { rows } = await database.pool.query('select count(*) as count from tocsin_migrations');
  expect(rows).toEqual([{ count: 1 }]);
  expect((await listPolicies(database.pool)).map(({ name }) => name)).toEqual([
    'strict',
    'default',
    'permissive',
  ]);
});

test('a schema that is up to date is left alone', async () => {
  const { pool } = await emptyDatabase();
  expect(await schemaState(pool)).toBe('none');
  await migrateSchema(pool);
  expect(await schemaState(pool)).toBe('current');
  await pool.query(`insert into guards (fingerprint, ref) values ('f', 'r')`);
  await migrateSchema(pool);
  expect((await pool.query('select ref from guards')).rows).toEqual([{ ref: 'r' }]);
});

test('a schema of a newer version is refused, and the lock released', async () => {
  const { pool } = await emptyDatabase();
  await migrateSchema(pool);
  await pool.query(`insert into tocsin_migrations (hash, created_at) values ('later', 9e12)`);
  expect(await schemaState(pool)).toBe('newer');
  await expect(migrateSchema(pool)).rejects.toThrow('set up by a newer version of Tocsin');
  const { rows } = await pool.query(`select from pg_locks join pg_database on pg_database.oid = database
     where locktype = 'advisory' and datname = current_database()`);
  expect(rows).toEqual([]);
});

test("another program's tables in public, and its record of migrations, are no conflict and stay as they are", async () => {
  const { pool } = await emptyDatabase();
  const theirs = ['sessions', 'files', 'scores', 'runs'];
  for (const name of theirs) {
    await pool.query(`create table public.${name} (id int); insert into public.${name} values (7)`);
  }
  await pool.query(`create schema drizzle;
    create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
    insert into drizzle.__drizzle_migrations (hash, created_at) values ('theirs', 9e12)`);
  await migrateSchema(pool);
  await newRun(pool);
  expect((await pool.query('select id from runs')).rows).toEqual([{ id: 1 }]);
  for (const name of theirs) {
    expect((await pool.query(`select * from public.${name}`)).rows).toEqual([{ id: 7 }]);
  }
  expect(await tablesIn(pool, 'drizzle')).toEqual(['__drizzle_migrations']);
});

test('a schema that another program uses is refused, and left as it is', async () => {
  const { pool } = await emptyDatabase();
  await pool.query('create schema tocsin; create table tocsin.sessions (id int)');
  const refusal = /the schema tocsin already has tables .* did not create them: sessions/;
  await expect(schemaState(pool)).rejects.toThrow(refusal);
  await expect(migrateSchema(pool)).rejects.toMatchObject({
    message: expect.stringMatching(refusal),
    hint: expect.stringContaining('TOCSIN_SCHEMA'),
  });
  expect(await tablesIn(pool, 'tocsin')).toEqual(['sessions']);
});

test('tables of a version before the first release are left as they are, and named once', async () => {
  const { pool } = await emptyDatabase();
  await pool.query(`create schema drizzle;
    create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
    insert into drizzle.__drizzle_migrations (hash, created_at)
      values ('12f9da187a23e1ba3be635356e7b82e596b80971111897f3ed29d7d7917e7e32', 1795505905908);
    create table public.runs (id int);
    insert into public.runs values (7)`);
  expect(await schemaState(pool)).toBe('none');
  expect(await migrateSchema(pool)).toMatch(
    /runs of a Tocsin from before its first release, in the schema public/,
  );
  expect(await migrateSchema(pool)).toBeUndefined();
  expect((await pool.query('select * from public.runs')).rows).toEqual([{ id: 7 }]);
  await newRun(pool);
  expect((await pool.query('select count(*) from runs')).rows).toEqual([{ count: 1 }]);
});

test('two schemas in one database: neither sees, hears or locks the other', async () => {
  const database = await emptyDatabase();
  const pools = ['first', 'user'].map((TOCSIN_SCHEMA) =>
    poolOf(withSchema(database.url, { TOCSIN_SCHEMA }), 3),
  );
  const [one, two] = pools as [Pool, Pool];
  for (const pool of pools) await migrateSchema(pool);
  const mine = await newRun(one);
  expect((await one.query('select count(*) from runs')).rows).toEqual([{ count: 1 }]);
  expect((await two.query('select count(*) from runs')).rows).toEqual([{ count: 0 }]);
  const theirs = await newRun(two);
  expect(theirs.runId).toBe(mine.runId);

  // A notification of one is not heard by the other; its own comes after it, on the same server.
  const heard: string[] = [];
  const listener = await ExpressListener.open(two, ({ scores }) => heard.push(...scores.keys()));
  for (const [pool, words] of [
    [one, ['a']],
    [one, ['b']],
    [two, ['c']],
  ] as const) {
    const guardId = pool === one ? mine.guardId : theirs.guardId;
    const { parcelId = 0 } = await submitExpress(pool, guardId, parcelOf(...words));
    const [word] = words;
    await completeParcel(pool, parcelId, [{ hash: hashOf(word), tokens: 1, score: 0.5, error: null }]);
  }
  await expect.poll(() => heard).toContain(hashOf('c').toString('hex'));
  expect(heard).toHaveLength(1);
  listener.close();

  // While a process of one holds its lock, those of the other get theirs.
  const holder = await one.connect();
  await holder.query(
    `begin; select pg_advisory_xact_lock(hashtextextended('first/migrate', 0)), pg_advisory_xact_lock(hashtextextended('first/prepare', 0))`,
  );
  await migrateSchema(two);
  await prepareRuns(two);
  await holder.query('rollback');
  holder.release();
});

/** The same database for a user who may do nothing but connect. */
async function asUser(database: TestDatabase): Promise<{ name: string; pool: Pool }> {
  const name = `tocsin_test_${randomBytes(4).toString('hex')}`;
  await database.pool.query(`create role ${name} login password 'secret'`);
  onTestFinished(async () => {
    await database.pool.query(`drop owned by ${name} cascade; drop role ${name}`);
  });
  const url = new URL(database.url);
  url.username = name;
  url.password = 'secret';
  const pool = createPool(url.href, { applicationName: 'tocsin test', max: 1 });
  onTestFinished(() => pool.end());
  return { name, pool };
}

test('a user who may not create the schema is told what to run, and either statement helps', async () => {
  const database = await TestDatabase.empty();
  onTestFinished(() => database.close());
  const { name, pool } = await asUser(database);
  const { rows } = await database.pool.query<{ name: string }>('select current_database() as name');
  const refusal = {
    message: `the user "${name}" may not create the schema tocsin in the database "${rows[0]?.name}"`,
    hint: `Let the database's owner run: GRANT CREATE ON DATABASE "${rows[0]?.name}" TO "${name}"; or create the schemas: CREATE SCHEMA tocsin AUTHORIZATION "${name}"; CREATE SCHEMA tocsin_queue AUTHORIZATION "${name}";`,
  };
  await expect(migrateSchema(pool)).rejects.toMatchObject(refusal);
  await expect(schemaState(pool)).rejects.toMatchObject(refusal);
  await database.pool.query(`create schema tocsin authorization "${name}"`);
  await migrateSchema(pool);
  expect(await schemaState(pool)).toBe('current');
});

test('a user who may create the schema does, and one who may not fill it is told so', async () => {
  const database = await TestDatabase.empty();
  onTestFinished(() => database.close());
  const { name, pool } = await asUser(database);
  await database.pool.query('create schema tocsin');
  await expect(migrateSchema(pool)).rejects.toMatchObject({
    message: `the user "${name}" may not create tables in the schema tocsin`,
    hint: expect.stringContaining(`GRANT ALL ON SCHEMA tocsin, tocsin_queue TO "${name}";`),
  });
  const { rows } = await database.pool.query<{ name: string }>('select current_database() as name');
  await database.pool.query(`drop schema tocsin; grant create on database "${rows[0]?.name}" to "${name}"`);
  await migrateSchema(pool);
  expect(await tablesIn(database.pool, 'tocsin')).toContain('runs');
});

test('the migrations create what the TypeScript schema says', async () => {
  const out = await mkdtemp(join(tmpdir(), 'tocsin-migrations-'));
  try {
    await cp(join(STORE, 'migrations'), out, { recursive: true });
    const schema = '--schema=./src/schema/{pipeline,access,dashboard}.ts';
    const args = ['drizzle-kit', 'generate', '--dialect=postgresql', schema, `--out=${relative(STORE, out)}`];
    const { stdout } = await promisify(execFile)('npx', args, { cwd: STORE });
    expect(stdout).toContain('No schema changes');
  } finally {
    await rm(out, { recursive: true });
  }
});
