import { join } from 'node:path';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { RedisServer } from '../setup/redis.js';
import { goldenGuard, tocsin } from '../setup/tocsin.js';

interface Finding {
  subject: string;
  verdict: string;
  says: string;
  todo?: string;
}

/** A port without a listener. */
const CLOSED = '127.0.0.1:1';
let empty: TestDatabase;
let migrated: TestDatabase;
let redis: RedisServer;

beforeAll(async () => {
  [empty, migrated, redis] = await Promise.all([
    TestDatabase.empty(),
    TestDatabase.migrated(),
    RedisServer.start(),
  ]);
});
afterAll(async () => {
  await Promise.all([empty.close(), migrated.close(), redis.kill()]);
});

async function doctor(
  env: NodeJS.ProcessEnv,
  args: string[] = [],
): Promise<{ exitCode: number | null; of: (subject: string) => Finding; output: string }> {
  const ended = await tocsin(['doctor', '--json', ...args], {
    // Without the network: the hub has its own test.
    env: { HF_HUB_OFFLINE: '1', HF_TOKEN: 'hf_not_to_be_shown', ...env },
  });
  const output = `${ended.stdout}${ended.stderr}`;
  const findings = JSON.parse(String(ended.stdout)) as Finding[];
  const of = (subject: string): Finding => {
    const found = findings.find((finding) => finding.subject === subject);
    if (found === undefined) throw new Error(`nothing was said of ${subject}: ${output}`);
    return found;
  };
  return { exitCode: ended.exitCode, of, output };
}

test('servers that answer: what they are, and what state they are in', async () => {
  const { exitCode, of, output } = await doctor({ DATABASE_URL: migrated.url, REDIS_URL: redis.url });
  expect(exitCode).toBe(0);
  expect(of('database')).toMatchObject({ verdict: 'ok' });
  expect(of('database').says).toMatch(/^PostgreSQL \d+.* at postgres.*; tables are up to date$/);
  // The tests' server has no persistence.
  expect(of('queue')).toMatchObject({ verdict: 'note' });
  expect(of('queue').says).toMatch(/^(Redis|Valkey) \d.*, noeviction; not persistent/);
  for (const url of [migrated.url, redis.url]) {
    const { password } = new URL(url);
    expect(password).not.toBe('');
    expect(output).not.toContain(password);
  }
  expect(output).not.toContain('hf_not_to_be_shown');
  for (const subject of ['Node.js', 'processor', 'memory', 'onnxruntime', 'cache', 'cuda']) of(subject);
});

test("another program's tables in public are no matter; in Tocsin's schema they are, with what to do", async () => {
  const shared = await TestDatabase.empty();
  try {
    await shared.outside.query('create table sessions (id int)');
    const fine = (await doctor({ DATABASE_URL: shared.url })).of('database');
    expect(fine).toMatchObject({ verdict: 'ok' });
    expect(fine.says).toMatch(/, schema tocsin; no tables yet: the first command creates them$/);
    await shared.outside.query('create schema tocsin; create table tocsin.sessions (id int)');
    const { exitCode, of } = await doctor({ DATABASE_URL: shared.url });
    expect(exitCode).toBe(1);
    expect(of('database').says).toMatch(/the schema tocsin already has tables .*: sessions/);
    expect(of('database').todo).toContain('TOCSIN_SCHEMA');
    const other = await doctor({ DATABASE_URL: shared.url, TOCSIN_SCHEMA: 'harm' });
    expect(other.of('database').says).toContain('schema harm; no tables yet');
  } finally {
    await shared.close();
  }
});

test('a database without tables is fine; without servers the embedded one and Postgres are named', async () => {
  expect((await doctor({ DATABASE_URL: empty.url })).of('database').says).toContain('no tables yet');
  const dir = scratchDir();
  const { exitCode, of } = await doctor({ TOCSIN_DATA: join(dir, 'postgres') });
  expect(exitCode).toBe(0);
  expect(of('database').says).toContain(`in ${join(dir, 'postgres')}`);
  expect(of('queue').says).toBe('in Postgres (REDIS_URL is unset)');
});

test('servers that do not answer make scoring impossible; passwords are not shown', async () => {
  const { exitCode, of, output } = await doctor({
    DATABASE_URL: `postgres://somebody:s3cret@${CLOSED}/tocsin`,
    REDIS_URL: `redis://:s3cret@${CLOSED}`,
  });
  expect(exitCode).toBe(1);
  for (const subject of ['database', 'queue']) {
    expect(of(subject)).toMatchObject({ verdict: 'problem', todo: expect.stringContaining('_URL') });
    expect(of(subject).says).toContain('does not answer');
  }
  expect(output).not.toContain('s3cret');
});

test('a server that may drop parcels is a problem', async () => {
  const client = redis.client();
  try {
    await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
    const { exitCode, of } = await doctor({ DATABASE_URL: migrated.url, REDIS_URL: redis.url });
    expect(exitCode).toBe(1);
    expect(of('queue').says).toContain('maxmemory-policy allkeys-lru');
  } finally {
    await client.config('SET', 'maxmemory-policy', 'noeviction');
    client.disconnect();
  }
});

test('the hub: not asked offline, and a note when it does not answer', async () => {
  const database = { DATABASE_URL: migrated.url };
  expect((await doctor(database)).of('model hub').says).toBe('not asked: HF_HUB_OFFLINE is set');
  const { exitCode, of, output } = await doctor({
    ...database,
    HF_HUB_OFFLINE: '0',
    HF_ENDPOINT: `http://${CLOSED}`,
  });
  expect(exitCode).toBe(0);
  expect(of('model hub')).toMatchObject({ verdict: 'note' });
  expect(of('model hub').says).toContain(`http://${CLOSED} does not answer`);
  expect(output).not.toContain('hf_not_to_be_shown');
});

test('a cache that cannot be written is a problem', async () => {
  const { exitCode, of } = await doctor({
    DATABASE_URL: migrated.url,
    TOCSIN_CACHE: join(process.execPath, 'no-directory'),
  });
  expect(exitCode).toBe(1);
  expect(of('cache')).toMatchObject({ verdict: 'problem', todo: expect.stringContaining('TOCSIN_CACHE') });
});

test('a guard that is named is loaded; one that cannot be is a problem', async () => {
  const database = { DATABASE_URL: migrated.url };
  const { of } = await doctor(database, [
    ...goldenGuard('qwen3-mlp'),
    '--precision',
    'int8',
    '--device',
    'cpu',
  ]);
  expect(of('guard')).toMatchObject({ verdict: 'ok' });
  expect(of('guard').says).toContain('content, int8 on cpu');
  const bad = await doctor(database, [...goldenGuard('qwen3-mlp'), '--device', 'cuda:999']);
  expect(bad.exitCode).toBe(1);
  expect(bad.of('guard').says).toContain('device cuda:999 is not usable');
});

test('without --json: a line each', async () => {
  const { stdout, exitCode } = await tocsin(['doctor'], {
    env: { HF_HUB_OFFLINE: '1', DATABASE_URL: migrated.url },
  });
  expect(exitCode).toBe(0);
  expect(String(stdout)).toMatch(/^ok {7}Node\.js {9}\d+\.\d+\.\d+ on \w+ \w+$/m);
});
