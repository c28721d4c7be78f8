import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { identify } from './process-identity.js';
import { isRoot } from './server-user.js';
import { startEmbedded } from './start-embedded.js';
import { ask, NOBODY, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('several processes at once on a fresh directory share one server, and the last to leave stops it', async () => {
  const dataDir = await bed.dataDir();
  const tenants = [1, 2, 3].map(() => bed.tenant({ dataDir }));
  const told = await Promise.all(tenants.map((tenant) => tenant.told()));
  const [{ pid, url }] = told as [(typeof told)[number]];
  expect(told.map((each) => each.pid)).toEqual([pid, pid, pid]);
  expect(told.map((each) => each.url)).toEqual([url, url, url]);
  expect(told.filter((each) => each.started).length).toBe(1);
  for (const tenant of tenants) {
    expect(await ask(url, 'select 1')).toBe(1);
    await tenant.stop();
  }
  expect(await identify(pid)).toBeUndefined();
});

test('a server left behind by a killed process is taken over and stopped', async () => {
  const dataDir = await bed.dataDir();
  const tenant = bed.tenant({ dataDir });
  const told = await tenant.told();
  await tenant.kill();
  expect(await identify(told.pid)).toBeDefined();
  const server = await startEmbedded({ dataDir });
  expect(server).toMatchObject({ pid: told.pid, url: told.url, started: false });
  await server.stop();
  expect(await identify(told.pid)).toBeUndefined();
});

test('Ctrl-C reaches the process, not the server', async () => {
  const tenant = bed.tenant({ dataDir: await bed.dataDir() });
  const { url, pid } = await tenant.told();
  tenant.signalGroup('SIGINT');
  expect(await tenant.next()).toEqual({ signal: 'SIGINT' });
  expect(await ask(url, 'select 1')).toBe(1);
  await tenant.stop();
  expect(await identify(pid)).toBeUndefined();
});

test('a first start that was killed in the middle is made good', async () => {
  const dataDir = await bed.dataDir();
  const tenant = bed.tenant({ dataDir });
  await tenant.begun();
  const scratch = async () => {
    const names = await readdir(dataDir).catch(() => []);
    const name = names.find((each) => each.startsWith('data.new-'));
    return name === undefined ? [] : readdir(join(dataDir, name, 'data')).catch(() => []);
  };
  // initdb is at work, and goes on for a while when its parent is gone.
  await expect.poll(scratch, { interval: 5 }).toContain('base');
  await tenant.kill();
  expect(await readdir(dataDir)).not.toContain('data');
  // And one that was killed altogether.
  await mkdir(join(dataDir, 'data.new-Ab3Xyz', 'data', 'base'), { recursive: true });
  await writeFile(join(dataDir, 'data.new-Ab3Xyz', 'data', 'PG_VERSION'), '18\n');

  const server = await startEmbedded({ dataDir });
  expect(server.started).toBe(true);
  expect(await ask(server.url, 'select 1')).toBe(1);
  expect((await readdir(dataDir)).filter((name) => name.startsWith('data'))).toEqual(['data']);
  await server.stop();
});

describe('as an ordinary user', () => {
  test("in a home of one's own, with nothing but the defaults", async () => {
    const home = await bed.directory(NOBODY);
    const dataDir = join(home, '.local', 'share', 'tocsin', 'postgres');
    const { XDG_DATA_HOME: _xdg, TOCSIN_DATA: _data, ...env } = process.env;
    const tenant = bed.tenant({}, { user: NOBODY, env: { ...env, HOME: home } });
    const told = await tenant.told();
    expect(told).toMatchObject({ dataDir, started: true });
    expect(told.uid).toBeGreaterThan(0);
    expect(await ask(told.url, 'select 1')).toBe(1);
    const made = await stat(dataDir);
    expect(made).toMatchObject({ uid: told.uid, mode: 0o040700 });
    for (const name of await readdir(dataDir)) {
      if (!name.startsWith('lock.')) expect(await stat(join(dataDir, name))).toMatchObject({ uid: told.uid });
    }
    await tenant.stop();
    expect(await identify(told.pid)).toBeUndefined();
  });

  test('where one may not write', async () => {
    const parent = await bed.directory();
    await chmod(parent, 0o555);
    const told = await bed.tenant({ dataDir: join(parent, 'postgres') }, { user: NOBODY }).told();
    expect(told).toMatchObject({
      name: 'UserError',
      message: expect.stringContaining('EACCES'),
      hint: expect.stringContaining('TOCSIN_DATA'),
    });
  });
});

describe.runIf(isRoot())('as root', () => {
  test("the server and its files are another user's, ours are ours", async () => {
    const server = await startEmbedded({ dataDir: await bed.dataDir() });
    const data = await stat(join(server.dataDir, 'data'));
    expect(data.uid).toBeGreaterThan(0);
    expect((await stat(`/proc/${server.pid}`)).uid).toBe(data.uid);
    for (const name of ['password', 'postgres.log', 'holders', 'port']) {
      expect((await stat(join(server.dataDir, name))).uid).toBe(0);
    }
    await server.stop();
  });

  test("a user and root share the server in the user's directory", async () => {
    const dataDir = join(await bed.directory(NOBODY), 'postgres');
    const first = bed.tenant({ dataDir }, { user: NOBODY });
    await first.told();
    const server = await startEmbedded({ dataDir });
    expect(server.started).toBe(false);
    await first.stop();
    await server.stop();
    const again = await startEmbedded({ dataDir });
    expect(again.started).toBe(true);
    const second = bed.tenant({ dataDir }, { user: NOBODY });
    expect(await second.told()).toMatchObject({ started: false, pid: again.pid });
    await again.stop();
    await second.stop();
    expect(await identify(again.pid)).toBeUndefined();
    const third = bed.tenant({ dataDir }, { user: NOBODY });
    expect(await third.told()).toMatchObject({ started: true });
    await third.stop();
  });

  test('a directory of another user is refused to an ordinary one', async () => {
    const dataDir = await bed.dataDir();
    await (await startEmbedded({ dataDir })).stop();
    const told = await bed.tenant({ dataDir }, { user: NOBODY }).told();
    expect(told).toMatchObject({
      name: 'UserError',
      hint: expect.stringContaining('belongs to another user'),
    });
  });
});
