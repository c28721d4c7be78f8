import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { withRetry } from '@tocsin/postgres';
import { prepareBackend } from '@tocsin/queue';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { RedisServer } from '../setup/redis.js';
import { goldenGuard, tocsin, writeJsonl } from '../setup/tocsin.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

/** Output of `tocsin runs` for the servers. */
async function complaint(env: NodeJS.ProcessEnv): Promise<string> {
  const { exitCode, stderr } = await tocsin(['runs'], { env: { REDIS_URL: undefined, ...env } });
  expect(exitCode, stderr).toBe(1);
  expect(stderr).not.toMatch(/defect|\n\s+at /);
  expect(stderr).not.toContain('s3cret');
  return stderr;
}

const changed = (change: (url: URL) => void): string => {
  const url = new URL(database.url);
  change(url);
  return url.href;
};

/** A database user that may only connect. */
async function user(name: string, rights = ''): Promise<string> {
  await database.pool.query(`create role ${name} login password 's3cret' ${rights}`);
  onTestFinished(async () => {
    await database.pool.query(`drop owned by ${name}; drop role ${name}`);
  });
  return changed((url) => {
    url.username = name;
    url.password = 's3cret';
  });
}

test('a user who may not create the schema', async () => {
  const said = await complaint({ DATABASE_URL: await user('tocsin_test_reader') });
  expect(said).toMatch(/the user "tocsin_test_reader" may not create the schema tocsin in the database/);
  expect(said).toMatch(/GRANT CREATE ON DATABASE "\w+" TO "tocsin_test_reader";/);
});

test('a user for whom both schemas were created needs no other right, with the queue in Postgres, too', async () => {
  const other = await fresh();
  const DATABASE_URL = new URL(await user('tocsin_test_fitted'));
  DATABASE_URL.pathname = new URL(other.url).pathname;
  const create = (schema: string) => `create schema ${schema} authorization tocsin_test_fitted`;
  await other.outside.query(create('tocsin'));
  const env = { DATABASE_URL: DATABASE_URL.href, REDIS_URL: undefined };
  const without = await tocsin(['runs'], { env });
  expect(without.exitCode).toBe(1);
  expect(without.stderr).toContain('CREATE SCHEMA tocsin_queue AUTHORIZATION "tocsin_test_fitted"');
  await other.outside.query(create('tocsin_queue'));
  const { exitCode, stderr } = await tocsin(['runs'], { env });
  expect(exitCode, stderr).toBe(0);
  await other.outside.query('drop owned by tocsin_test_fitted');
});

test("another program's schema, and a schema name that cannot be used", async () => {
  const other = await fresh();
  await other.outside.query('create schema tocsin; create table tocsin.runs (mine int)');
  const said = await complaint({ DATABASE_URL: other.url });
  expect(said).toMatch(/the schema tocsin already has tables under names that Tocsin uses.*: runs/);
  expect(said).toContain('TOCSIN_SCHEMA');
  expect(await complaint({ DATABASE_URL: `${other.url}?schema=public` })).toMatch(
    /schema= in DATABASE_URL names no schema that Tocsin can have for itself: "public"/,
  );
  expect(await complaint({ DATABASE_URL: other.url, TOCSIN_SCHEMA: 'Tocsin; drop' })).toMatch(
    /TOCSIN_SCHEMA names no schema that Tocsin can have for itself/,
  );
});

test('a database that does not exist', async () => {
  const said = await complaint({
    DATABASE_URL: changed((url) => {
      url.pathname = 'nowhere';
    }),
  });
  expect(said).toMatch(/the database does not exist \(database "nowhere" does not exist\)/);
});

test('no connection left', async () => {
  const DATABASE_URL = await user('tocsin_test_few', 'connection limit 0');
  expect(await complaint({ DATABASE_URL })).toMatch(
    /it has no free connections \(too many connections for role/,
  );
});

test('a user who only reads, as on a standby', async () => {
  const DATABASE_URL = await user('tocsin_test_standby');
  await database.pool.query('alter role tocsin_test_standby set default_transaction_read_only = on');
  await database.pool.query('grant create on schema public to tocsin_test_standby');
  await database.pool.query(
    `do $$ begin execute format('grant create on database %I to tocsin_test_standby', current_database()); end $$`,
  );
  expect(await complaint({ DATABASE_URL })).toMatch(/it is a read-only standby \(cannot execute/);
});

test('TLS where there is none', async () => {
  const DATABASE_URL = changed((url) => {
    url.searchParams.set('sslmode', 'no-verify');
  });
  expect(await complaint({ DATABASE_URL })).toMatch(
    /it does not speak TLS \(The server does not support SSL/,
  );
});

test.each([
  'postgres://ann:s3cret@s3cret@127.0.0.1/db',
  'postgres://ann:s3cret/s3cret@127.0.0.1/db',
  'postgres://ann:12/s3cret@127.0.0.1/db',
  'postgres://ann:12@s3cret/x@127.0.0.1/db',
  'postgres://ann:12#s3cret@127.0.0.1/db',
  'postgres://ann:12?s3cret@127.0.0.1/db',
  'postgres://ann:100%s3cret@127.0.0.1/db',
])('a password that is not URL-encoded (%#)', async (DATABASE_URL) => {
  const said = await complaint({ DATABASE_URL });
  expect(said).toContain('DATABASE_URL cannot be read: a character of the user name or password');
  expect(said).toContain('%40');
});

test('PGPASSWORD takes any password, for the database and for the queue in it', async () => {
  const DATABASE_URL = await user('tocsin_test_odd', 'superuser');
  await database.pool.query(`alter role tocsin_test_odd password 'p@s/s#w%rd?'`);
  const url = new URL(DATABASE_URL);
  url.password = '';
  const env = { DATABASE_URL: url.href, PGPASSWORD: 'p@s/s#w%rd?', REDIS_URL: undefined };
  const other = await TestDatabase.empty();
  onTestFinished(() => other.close());
  url.pathname = new URL(other.url).pathname;
  const { exitCode, stderr } = await tocsin(['runs'], { env: { ...env, DATABASE_URL: url.href } });
  expect(exitCode, stderr).toBe(0);
  await other.pool.query('reassign owned by tocsin_test_odd to current_user');
});

test('a Redis that is full', async () => {
  const redis = await RedisServer.start({ maxmemory: '1100kb', 'maxmemory-policy': 'noeviction' });
  onTestFinished(() => redis.kill());
  const client = redis.client();
  // It must not be full before the check; then write until one write is refused.
  for (let n = 0; ; n++) {
    const refused = await client.set(`filler-${n}`, 'x'.repeat(10_000)).then(
      () => false,
      () => true,
    );
    if (refused) break;
  }
  client.disconnect();
  const corpus = await writeJsonl(join(scratchDir(), 'rows.jsonl'), randomRows(50, 16));
  const scored = await tocsin(['submit', corpus, ...goldenGuard('qwen3-residual')], {
    env: { DATABASE_URL: (await fresh()).url, REDIS_URL: redis.url },
  });
  expect(scored.exitCode).toBe(1);
  expect(scored.stderr).toContain('Redis has used its maxmemory');
  expect(scored.stderr).not.toMatch(/defect|\n\s+at /);
});

async function fresh(): Promise<TestDatabase> {
  const other = await TestDatabase.empty();
  onTestFinished(() => other.close());
  return other;
}

/** Forwards connections from a non-loopback address. */
async function fromElsewhere(to: string): Promise<{ url: string; server: Server }> {
  const { port, hostname } = new URL(to);
  const server = createServer((from) => {
    const on = connect({ port: Number(port), host: hostname, localAddress: '127.0.0.2' });
    for (const socket of [from, on]) socket.on('error', () => socket.destroy());
    from.pipe(on).pipe(from);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

test('a Redis in protected mode, and one that wants a password', async () => {
  // Redis enables protected mode only without a bind address.
  const redis = await RedisServer.start({ 'protected-mode': 'yes', bind: undefined });
  onTestFinished(() => redis.kill());
  const why = (url: string): Promise<string> =>
    prepareBackend({ kind: 'redis', url }).then(
      () => 'it was accepted',
      ({ message, hint }: { message: string; hint?: string }) => `${message}. ${hint}`,
    );
  const without = new URL(redis.url);
  without.password = '';
  expect(await why(without.href)).toMatch(/Redis requires a password.*Set REDIS_PASSWORD/);
  const client = redis.client();
  onTestFinished(() => client.disconnect());
  await client.config('SET', 'requirepass', '');
  const { url, server } = await fromElsewhere(redis.url);
  onTestFinished(() => void server.close());
  for (let time = 0; time < 5; time++)
    expect(await why(url)).toMatch(/Redis is in protected mode.*protected-mode off/);
});

test('a disk that is full for a while is waited for', async () => {
  const { outside: pool } = await fresh();
  await pool.query('create table t (n int)');
  await pool.query(`create table full_disk as select true as full`);
  // PostgreSQL's own error when it extends a table.
  await pool.query(`create function no_space() returns trigger language plpgsql as $$ begin
    if (select full_disk.full from full_disk) then
      raise exception 'could not extend file: No space left on device' using errcode = '53100';
    end if; return new; end $$`);
  await pool.query('create trigger no_space before insert on t for each row execute function no_space()');
  let tries = 0;
  await withRetry(async () => {
    tries++;
    if (tries === 3) await pool.query('update full_disk set "full" = false');
    return pool.query('insert into t values (1)');
  });
  expect(tries).toBe(3);
});
