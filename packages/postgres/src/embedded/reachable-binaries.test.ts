import { chmod, mkdir, readdir, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { Binaries } from './binaries.js';
import { reachableBinaries } from './binaries.js';
import { TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

const stranger = { uid: 54_321, gid: 54_321 };

/** A distribution in small, in a directory that only its owner may enter, as under umask 077. */
async function closedBinaries(): Promise<Binaries> {
  const root = await bed.directory();
  const home = join(root, 'closed', 'native');
  for (const name of ['bin', 'lib']) await mkdir(join(home, name), { recursive: true });
  await writeFile(join(home, 'bin', 'postgres'), 'program', { mode: 0o700 });
  await writeFile(join(home, 'lib', 'libpq.so.5.18'), 'library', { mode: 0o600 });
  await symlink('libpq.so.5.18', join(home, 'lib', 'libpq.so.5'));
  for (const path of [join(root, 'closed'), home, join(home, 'bin'), join(home, 'lib')])
    await chmod(path, 0o700);
  return { home, version: '18.4.0' };
}

test('our own are used as they are when the server runs as ourselves', async () => {
  const binaries = await closedBinaries();
  expect(await reachableBinaries(binaries, undefined)).toBe(binaries);
});

test('those that the user can reach are used as they are', async () => {
  const binaries = await closedBinaries();
  const owner = await stat(binaries.home);
  expect(await reachableBinaries(binaries, owner)).toBe(binaries);
});

test('others are copied once, whole and readable, also by several at once', async () => {
  const binaries = await closedBinaries();
  const copyRoot = await bed.directory();
  const lines: string[] = [];
  const options = { copyRoot, log: (line: string) => lines.push(line) };
  const copies = await Promise.all([1, 2, 3].map(() => reachableBinaries(binaries, stranger, options)));
  const [copy] = copies;
  expect(new Set(copies.map(({ home }) => home)).size).toBe(1);
  expect(await readdir(copyRoot)).toEqual([`postgres-18.4.0-${process.platform}-${process.arch}`]);
  const home = copy?.home ?? '';
  expect((await stat(join(home, 'bin', 'postgres'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(home, 'lib', 'libpq.so.5.18'))).mode & 0o777).toBe(0o644);
  expect(await readlink(join(home, 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
  lines.length = 0;
  expect(await reachableBinaries(binaries, stranger, options)).toEqual({ home, version: '18.4.0' });
  expect(lines).toEqual([]);
});

test('a place for copies that is closed too', async () => {
  const binaries = await closedBinaries();
  const closed = await bed.directory();
  await chmod(closed, 0o700);
  const found = reachableBinaries(binaries, stranger, { copyRoot: join(closed, 'copies') });
  await expect(found).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining('uid 54321'),
  });
});
