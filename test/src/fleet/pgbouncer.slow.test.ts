import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cancelWhenInterrupted, createPool, requireConnection } from '@tocsin/postgres';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../setup/free-port.js';
import { until, untilLockIsAwaited } from '../setup/processes.js';
import { foundProgram, scratchDir } from '../setup/provided.js';
import { goldenGuard, parseLines, TocsinProcess, tocsin, writeJsonl } from '../setup/tocsin.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

/** A PgBouncer in front of the test's database. @returns the database's URL through it */
async function pooler(mode: 'session' | 'transaction'): Promise<string> {
  const dir = scratchDir();
  const to = new URL(database.url);
  const port = await freePort();
  const users = join(dir, 'users.txt');
  writeFileSync(users, `"${to.username}" "${decodeURIComponent(to.password)}"\n`);
  const config = join(dir, 'pgbouncer.ini');
  writeFileSync(
    config,
    `[databases]
* = host=${to.hostname} port=${to.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = ${mode}
`,
  );
  for (const file of [users, config]) chmodSync(file, 0o644);
  // It refuses to run as root.
  const asUser = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const child = spawn(foundProgram('pgbouncer'), [config], { stdio: 'ignore', ...asUser });
  onTestFinished(async () => {
    if (child.exitCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const url = new URL(database.url);
  url.port = String(port);
  const pool = createPool(url.href, { applicationName: 'tocsin test', max: 1 });
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`);
    return pool.query('select 1').then(
      () => true,
      () => undefined,
    );
  });
  await pool.end();
  return url.href;
}

const ROWS = Array.from({ length: 40 }, (_, n) => ({ id: `r${n}`, text: `row number ${n} of the corpus` }));

test('PgBouncer that pools by session: a corpus is scored with database and queue behind it', async () => {
  const DATABASE_URL = await pooler('session');
  const corpus = await writeJsonl(join(scratchDir(), 'rows.jsonl'), ROWS);
  const scored = await tocsin(['score', corpus, ...goldenGuard('qwen3-residual')], {
    env: { DATABASE_URL, REDIS_URL: undefined },
  });
  expect(scored.exitCode, scored.stderr).toBe(0);
  expect(parseLines(scored.stdout).filter(({ score }) => score !== undefined)).toHaveLength(ROWS.length);
  const { rows } = await database.pool.query(`select to_regclass('tocsin_queue.job') as name`);
  expect(rows).toEqual([{ name: 'tocsin_queue.job' }]);
});

test('two Tocsins in one database, under two schemas, behind one PgBouncer: each scores its own corpus', async () => {
  const DATABASE_URL = await pooler('session');
  const corpus = await writeJsonl(join(scratchDir(), 'rows.jsonl'), ROWS);
  const envs = [{ DATABASE_URL: `${DATABASE_URL}?schema=first` }, { DATABASE_URL, TOCSIN_SCHEMA: 'second' }];
  const scored = await Promise.all(
    envs.map((env) =>
      tocsin(['score', corpus, ...goldenGuard('qwen3-residual')], { env: { ...env, REDIS_URL: undefined } }),
    ),
  );
  for (const { exitCode, stderr, stdout } of scored) {
    expect(exitCode, stderr).toBe(0);
    expect(parseLines(stdout)).toHaveLength(ROWS.length);
  }
  for (const schema of ['first', 'second']) {
    // One command's scores are cached for the other.
    const { rows } = await database.outside.query(`select rows, fresh from ${schema}.runs`);
    expect(rows).toEqual([{ rows: String(ROWS.length), fresh: String(ROWS.length) }]);
  }
});

test('a worker behind it is told of work, drains, and ends', async () => {
  const DATABASE_URL = await pooler('session');
  const env = { DATABASE_URL, REDIS_URL: undefined };
  const worker = new TocsinProcess(['work', ...goldenGuard('qwen3-residual'), '--threads', '1'], { env });
  await worker.said(/worker ready/);
  const more = ROWS.map(({ id, text }) => ({ id, text: `${text}, again` }));
  const corpus = await writeJsonl(join(scratchDir(), 'rows.jsonl'), more);
  const submitted = await tocsin(['submit', corpus, ...goldenGuard('qwen3-residual')], { env });
  expect(submitted.exitCode, submitted.stderr).toBe(0);
  const watched = await tocsin(['run', String(submitted.stdout).trim(), '--watch'], { env });
  expect(watched.exitCode, watched.stderr).toBe(0);
  worker.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ exitCode: 0, signal: null });
});

test('PgBouncer that pools by transaction is refused in words', async () => {
  const DATABASE_URL = await pooler('transaction');
  const { exitCode, stderr } = await tocsin(['runs'], { env: { DATABASE_URL, REDIS_URL: undefined } });
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^tocsin: Postgres at \S+ is behind a pooler that gives each transaction another/);
  expect(stderr).toContain('pool_mode = session');
});

test.each(['session', 'transaction'] as const)(
  'a statement that waits for a lock behind it is cancelled, pooled by %s',
  async (mode) => {
    const pool = createPool(await pooler(mode), { applicationName: 'tocsin test', max: 2 });
    const interrupted = new AbortController();
    cancelWhenInterrupted(pool, interrupted.signal, { graceMs: 0 });
    const holder = await database.pool.connect();
    await holder.query('create table if not exists locked ()');
    await holder.query('begin; lock table locked in access exclusive mode');
    const waiting = pool.query('table locked');
    await untilLockIsAwaited(database.pool);
    interrupted.abort();
    await expect(waiting).rejects.toMatchObject({ code: '57014' });
    await holder.query('rollback');
    holder.release();
    await pool.end();
  },
);

test('a server without a pooler is not taken for one, whoever asks at once', async () => {
  const pools = [1, 2, 8].map((max) => createPool(database.url, { applicationName: 'tocsin test', max }));
  await Promise.all(pools.map((pool) => requireConnection(pool, database.url)));
  await Promise.all(pools.map((pool) => pool.end()));
});
