import { once } from 'node:events';
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { findPostmaster } from './postmaster.js';
import { identify } from './process-identity.js';
import { startEmbedded } from './start-embedded.js';
import { ask, plainDir, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('made at first use, kept for the next, stopped at the end', async () => {
  const dataDir = await bed.dataDir();
  const lines: string[] = [];
  const first = await startEmbedded({ dataDir, log: (line) => lines.push(line) });
  expect(first.started).toBe(true);
  expect(await ask(first.url, 'select current_database()')).toBe('tocsin');
  expect(await ask(first.url, 'select version()')).toMatch(/^PostgreSQL 18\./);
  await ask(first.url, "create table kept as select 'Zoë' as name");
  await first.stop();
  await first.stop();
  expect(await identify(first.pid)).toBeUndefined();
  // As root in a checkout that only root can reach, the binaries are copied first.
  expect(lines.filter((line) => !line.startsWith('copying'))).toEqual([
    `initialising PostgreSQL 18 in ${first.dataDir}`,
    `started PostgreSQL in ${first.dataDir}: process ${first.pid}, port ${first.port}`,
    `stopped PostgreSQL in ${first.dataDir}`,
  ]);

  const second = await startEmbedded({ dataDir });
  expect(second.url).toBe(first.url);
  expect(second.pid).not.toBe(first.pid);
  expect(await ask(second.url, 'select name from kept')).toBe('Zoë');
  await second.stop();
  expect((await readdir(dataDir)).filter((name) => !name.startsWith('lock.'))).toEqual([
    'data',
    'holders',
    'password',
    'port',
    'postgres.log',
    'postgres.log.1',
  ]);
});

test('the settings are those of a batch tool, and can be changed', async () => {
  const server = await startEmbedded({
    dataDir: await bed.dataDir(),
    settings: { work_mem: '7MB', jit: 'on' },
  });
  const settings = {
    fsync: 'on',
    synchronous_commit: 'on',
    wal_level: 'minimal',
    shared_buffers: '256MB',
    data_checksums: 'on',
    server_encoding: 'UTF8',
    work_mem: '7MB',
    jit: 'on',
  };
  for (const [name, value] of Object.entries(settings))
    expect(await ask(server.url, `show ${name}`)).toBe(value);
  // The same order everywhere: by code point.
  expect(
    await ask(server.url, "select array_agg(x order by x) from unnest('{b,A,é,a,B}'::text[]) x"),
  ).toEqual(['A', 'B', 'a', 'b', 'é']);
  await server.stop();
});

test('nobody gets in without the password, which only the owner can read', async () => {
  const server = await startEmbedded({ dataDir: await bed.dataDir() });
  const { password } = new URL(server.url);
  expect(password.length).toBeGreaterThanOrEqual(32);
  await expect(ask(server.url.replace(password, 'guess'), 'select 1')).rejects.toMatchObject({
    code: '28P01',
  });
  expect((await stat(join(server.dataDir, 'password'))).mode & 0o777).toBe(0o600);
  expect((await stat(server.logFile)).mode & 0o777).toBe(0o600);
  expect((await stat(join(server.dataDir, 'data'))).mode & 0o777).toBe(0o700);
  await server.stop();
});

test('a path that is long, and has blanks, quotes and other letters', async () => {
  const dataDir = await bed.dataDir('it\'s a "path" $HOME', 'é'.repeat(60), 'x'.repeat(80), 'postgres');
  const server = await startEmbedded({ dataDir });
  expect(server.dataDir.length).toBeGreaterThan(140);
  expect(await ask(server.url, 'select 1')).toBe(1);
  await server.stop();
});

test('started twice in one process, it stops with the last', async () => {
  const dataDir = await bed.dataDir();
  const [one, two] = await Promise.all([startEmbedded({ dataDir }), startEmbedded({ dataDir })]);
  expect([one.started, two.started].sort()).toEqual([false, true]);
  expect(two.pid).toBe(one.pid);
  await one.stop();
  expect(await ask(two.url, 'select 1')).toBe(1);
  await two.stop();
  expect(await identify(two.pid)).toBeUndefined();
});

test('a database that was not made, or was dropped, is made', async () => {
  const dataDir = await bed.dataDir();
  const first = await startEmbedded({ dataDir });
  await ask(first.url.replace(/tocsin$/, 'postgres'), 'drop database tocsin');
  await first.stop();
  const second = await startEmbedded({ dataDir });
  expect(await ask(second.url, 'select 1')).toBe(1);
  await second.stop();
});

describe('the port', () => {
  test('another one is chosen when the last is taken', async () => {
    const dataDir = await bed.dataDir();
    const first = await startEmbedded({ dataDir });
    await first.stop();
    const other = createServer().listen(first.port, '127.0.0.1');
    await once(other, 'listening');
    const second = await startEmbedded({ dataDir });
    expect(second.port).not.toBe(first.port);
    await second.stop();
    other.close();
  });

  test('the one that was asked for is used, or the start fails', async () => {
    const dataDir = await bed.dataDir();
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startEmbedded({ dataDir, port })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`port ${port} on 127.0.0.1 is taken`),
    });
    other.close();
    await once(other, 'close');
    const server = await startEmbedded({ dataDir, port });
    expect(server.port).toBe(port);
    await expect(startEmbedded({ dataDir, port: port === 1024 ? 1025 : port - 1 })).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`already, on port ${port}`),
    });
    await server.stop();
  });

  test('it is a port', async () => {
    for (const port of [0, -1, 1.5, 65_536, Number.NaN]) {
      await expect(startEmbedded({ dataDir: await bed.dataDir(), port })).rejects.toThrow(
        'must be a whole number',
      );
    }
  });
});

describe('a directory that cannot be used', () => {
  /** A directory that has been used and whose server is stopped. */
  async function used(): Promise<string> {
    const dataDir = await bed.dataDir();
    await (await startEmbedded({ dataDir })).stop();
    return dataDir;
  }

  async function refused(dataDir: string): Promise<{ message: string; hint: string }> {
    const error = await startEmbedded({ dataDir }).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: 'UserError', hint: expect.any(String) });
    expect(await findPostmaster(plainDir(dataDir))).toBeUndefined();
    return error as { message: string; hint: string };
  }

  test('of another major version', async () => {
    const dataDir = await used();
    await writeFile(join(dataDir, 'data', 'PG_VERSION'), '17\n');
    const { message, hint } = await refused(dataDir);
    expect(message).toContain('was made by PostgreSQL 17, and this version of Tocsin brings 18');
    expect(hint).toContain('DATABASE_URL');
  });

  test('no data directory of PostgreSQL', async () => {
    const dataDir = await used();
    await rm(join(dataDir, 'data', 'PG_VERSION'));
    expect((await refused(dataDir)).message).toContain('it has no file PG_VERSION');
  });

  test('corrupted', async () => {
    const dataDir = await used();
    await rm(join(dataDir, 'data', 'global', 'pg_control'));
    const { message, hint } = await refused(dataDir);
    expect(message).toContain('could not open file');
    expect(message).toContain('pg_control');
    expect(hint).toContain(join(dataDir, 'postgres.log'));
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).toContain('pg_control');
  });

  test('a setting that PostgreSQL does not know', async () => {
    const dataDir = await bed.dataDir();
    const start = startEmbedded({ dataDir, settings: { no_such_setting: '1' } });
    await expect(start).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('no_such_setting'),
    });
    await (await startEmbedded({ dataDir })).stop();
  });

  test('without its password, or with another', async () => {
    const dataDir = await used();
    const password = await readFile(join(dataDir, 'password'), 'utf8');
    await rm(join(dataDir, 'password'));
    expect((await refused(dataDir)).message).toContain('is missing or empty');
    await writeFile(join(dataDir, 'password'), 'another', { mode: 0o600 });
    expect((await refused(dataDir)).hint).toContain('does not match the database');
    await writeFile(join(dataDir, 'password'), password, { mode: 0o600 });
    await (await startEmbedded({ dataDir })).stop();
  });

  test('a file, or a path through one', async () => {
    const file = join(await bed.directory(), 'file');
    await writeFile(file, '');
    for (const path of [file, join(file, 'postgres')]) {
      await expect(startEmbedded({ dataDir: path })).rejects.toMatchObject({
        name: 'UserError',
        hint: expect.stringContaining('is a file'),
      });
    }
  });
});
