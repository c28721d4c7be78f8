import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { UserError } from '@tocsin/core';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import { identify } from './process-identity.js';
import { startEmbedded } from './start-embedded.js';
import { ask, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('a killed server is noticed and comes back at the same address, with what was committed', async () => {
  const server = await startEmbedded({ dataDir: await bed.dataDir() });
  const pool = new pg.Pool({ connectionString: server.url });
  pool.on('error', () => undefined);
  await pool.query('create table kept (n int)');
  await pool.query('insert into kept select generate_series(1, 1000)');
  for (let round = 1; round <= 2; round++) {
    const { pid } = server;
    const told = new Promise<UserError>((resolve) => server.onExit(resolve));
    process.kill(pid, 'SIGKILL');
    const error = await told;
    expect(error.message).toContain(`(process ${pid}) has ended`);
    expect(error.hint).toContain(server.logFile);
    await Promise.all([server.ensureRunning(), server.ensureRunning()]);
    expect(server.pid).not.toBe(pid);
    expect((await pool.query('select count(*)::int from kept')).rows).toEqual([{ count: 1000 }]);
  }
  await pool.end();
  const { pid } = server;
  await server.ensureRunning();
  expect(server.pid).toBe(pid);
  await server.stop();
  expect(await identify(pid)).toBeUndefined();
  await expect(server.ensureRunning()).rejects.toThrow('after stop()');
});

test('a stop is no unexpected end', async () => {
  const dataDir = await bed.dataDir();
  const first = await startEmbedded({ dataDir });
  let told = 0;
  first.onExit(() => told++);
  await first.stop();
  // The watch of the next one begins later and looks as often: had the first gone on, it would have been told before.
  const second = await startEmbedded({ dataDir });
  const ended = new Promise((resolve) => second.onExit(resolve));
  process.kill(second.pid, 'SIGKILL');
  await ended;
  expect(told).toBe(0);
  await second.stop();
});

test('a listener that was taken away is not told', async () => {
  const server = await startEmbedded({ dataDir: await bed.dataDir() });
  let told = 0;
  const off = server.onExit(() => told++);
  off();
  const last = new Promise((resolve) => server.onExit(resolve));
  process.kill(server.pid, 'SIGKILL');
  await last;
  expect(told).toBe(0);
  await server.stop();
});

test('all processes that use a killed server may bring it back; one does', async () => {
  const dataDir = await bed.dataDir();
  const [one, two] = await Promise.all([startEmbedded({ dataDir }), startEmbedded({ dataDir })]);
  process.kill(one.pid, 'SIGKILL');
  await expect.poll(() => identify(two.pid)).toBeUndefined();
  await Promise.all([one.ensureRunning(), two.ensureRunning()]);
  expect(one.pid).toBe(two.pid);
  await two.stop();
  expect(await ask(one.url, 'select 1')).toBe(1);
  await one.stop();
});

test('a start waits for backends of a killed server that are still at work', async () => {
  const dataDir = await bed.dataDir();
  const lines: string[] = [];
  const server = await startEmbedded({ dataDir, log: (line) => lines.push(line) });
  const client = new pg.Client({ connectionString: server.url });
  client.on('error', () => undefined);
  await client.connect();
  // Busy for three seconds without a look at whether the server is still there.
  const loop = `do $$ declare until timestamptz := clock_timestamp() + interval '3 s';
    begin while clock_timestamp() < until loop end loop; end $$`;
  const long = client.query(loop).catch((error: unknown) => error);
  const active = "select count(*)::int from pg_stat_activity where query like 'do %'";
  await expect.poll(() => ask(server.url, `${active} and state = 'active'`)).toBe(1);
  process.kill(server.pid, 'SIGKILL');
  await server.ensureRunning();
  expect(lines.join('\n')).toContain('does not start yet, trying again: pre-existing shared memory block');
  expect(await ask(server.url, 'select 1')).toBe(1);
  await long;
  await server.stop();
});

test('a killed server that nobody reaped is no obstacle', async () => {
  const dataDir = await bed.dataDir();
  const tenant = bed.tenant({ dataDir });
  const { pid } = await tenant.told();
  // A stopped parent does not ask how its child ended, so the server stays as a zombie.
  tenant.signal('SIGSTOP');
  process.kill(pid, 'SIGKILL');
  const server = await startEmbedded({ dataDir });
  expect(server.started).toBe(true);
  expect(() => process.kill(pid, 0)).not.toThrow();
  expect(await ask(server.url, 'select 1')).toBe(1);
  tenant.signal('SIGCONT');
  await tenant.stop();
  expect(await ask(server.url, 'select 1')).toBe(1);
  await server.stop();
});

test("a pid file whose number now is another program's is no obstacle", async () => {
  const dataDir = await bed.dataDir();
  const first = await startEmbedded({ dataDir });
  await first.stop();
  const lines = [process.pid, join(first.dataDir, 'data'), 1, first.port, '', '127.0.0.1', '1 1', 'ready'];
  await writeFile(join(dataDir, 'data', 'postmaster.pid'), `${lines.join('\n')}\n`);
  const second = await startEmbedded({ dataDir });
  expect(second.started).toBe(true);
  await second.stop();
});

test('a server that is shutting down is waited for', async () => {
  const dataDir = await bed.dataDir();
  const first = await startEmbedded({ dataDir });
  await ask(first.url, 'create table big as select generate_series(1, 300000)');
  process.kill(first.pid, 'SIGINT');
  const second = await startEmbedded({ dataDir });
  expect(await ask(second.url, 'select count(*)::int from big')).toBe(300_000);
  await first.stop();
  await second.stop();
});

test('what was left of a failed start does not stay', async () => {
  const dataDir = await bed.dataDir();
  await mkdir(dataDir, { recursive: true });
  await expect(startEmbedded({ dataDir, settings: { shared_buffers: 'much' } })).rejects.toThrow(
    'shared_buffers',
  );
  const server = await startEmbedded({ dataDir });
  await server.stop();
  expect(await identify(server.pid)).toBeUndefined();
});
