import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { defaultDataDir, openDataDir, readOwn, writeOwn } from './data-dir.js';
import { isRoot } from './server-user.js';
import { NOBODY, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('TOCSIN_DATA goes first', () => {
  expect(defaultDataDir({ TOCSIN_DATA: '/x/y', XDG_DATA_HOME: '/data', HOME: '/home/me' })).toBe('/x/y');
  expect(defaultDataDir({ TOCSIN_DATA: 'y', HOME: '/home/me' })).toBe(resolve('y'));
});

test('else root has a directory that others can reach, and users theirs', () => {
  const xdg = defaultDataDir({ XDG_DATA_HOME: '/data', HOME: '/home/me' });
  const relative = defaultDataDir({ XDG_DATA_HOME: 'data', HOME: '/home/me' });
  expect(xdg).toBe(isRoot() ? '/var/lib/tocsin/postgres' : '/data/tocsin/postgres');
  expect(relative).toBe(isRoot() ? '/var/lib/tocsin/postgres' : '/home/me/.local/share/tocsin/postgres');
});

test('it is made with its parents, and found by its real path', async () => {
  const root = await bed.directory();
  const dir = await openDataDir(join(root, 'a', 'b'));
  await symlink(join(root, 'a'), join(root, 'link'));
  expect((await openDataDir(join(root, 'link', 'b'))).path).toBe(dir.path);
});

test('a directory with other things in it is refused', async () => {
  const root = await bed.directory();
  await writeFile(join(root, 'thesis.txt'), '');
  await expect(openDataDir(root)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining("not Tocsin's: thesis.txt"),
  });
});

test('what an interrupted first start left is not other things', async () => {
  const root = await bed.directory();
  for (const name of ['lock.3', 'password', 'password.new-12', 'postgres.log'])
    await writeFile(join(root, name), '');
  for (const name of ['data.new-Ab3', 'lost+found']) await mkdir(join(root, name));
  await openDataDir(root);
});

test('our files are replaced whole and only their owner may read them', async () => {
  const dir = await openDataDir(await bed.directory());
  expect(await readOwn(dir, 'port')).toBe('');
  await writeOwn(dir, 'port', '1');
  await writeOwn(dir, 'port', '2');
  expect(await readOwn(dir, 'port')).toBe('2');
  expect(await readdir(dir.path)).toEqual(['port']);
  expect((await stat(join(dir.path, 'port'))).mode & 0o777).toBe(0o600);
});

describe.runIf(isRoot())('as root', () => {
  test('a parent that is closed for the server is named', async () => {
    const root = await bed.directory();
    const closed = join(root, 'closed');
    await mkdir(closed, { mode: 0o700 });
    await expect(openDataDir(join(closed, 'a', 'postgres'))).rejects.toMatchObject({
      name: 'UserError',
      message: expect.stringContaining(`may not pass through ${closed} to`),
      hint: expect.stringContaining('TOCSIN_DATA'),
    });
  });

  test('the directory itself is opened for the server to pass, not to read', async () => {
    const root = await bed.directory();
    await chmod(root, 0o700);
    const dir = await openDataDir(root);
    expect((await stat(root)).mode & 0o777).toBe(0o711);
    expect(dir.user?.uid).toBeGreaterThan(0);
    expect(dir.owner).toEqual({ uid: 0, gid: 0 });
  });

  test("in a user's directory the server and our files are that user's", async () => {
    const dir = await openDataDir(await bed.directory(NOBODY));
    expect(dir).toMatchObject({ user: NOBODY, owner: NOBODY });
    await writeOwn(dir, 'port', '1');
    expect((await stat(join(dir.path, 'port'))).uid).toBe(NOBODY.uid);
  });
});
