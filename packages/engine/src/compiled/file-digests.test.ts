import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@tocsin/siren/testing';
import { beforeEach, expect, test } from 'vitest';
import { digestFiles } from './file-digests.js';

const temp = tempDir();
let dir = '';
let cache = '';
let file = '';

beforeEach(async () => {
  dir = await mkdtemp(join(temp, 'x-'));
  cache = join(dir, 'cache', 'below');
  file = join(dir, 'weights');
  await writeFile(file, 'weights');
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const memoFile = (): string => join(cache, 'file-digests.json');

/** Writes a memo that says `false` of every file it knows: what comes out of it is not computed. */
async function falsifyMemo(): Promise<void> {
  const memo = JSON.parse(await readFile(memoFile(), 'utf8')) as Record<string, string>;
  await writeFile(
    memoFile(),
    JSON.stringify(Object.fromEntries(Object.keys(memo).map((key) => [key, 'false']))),
  );
}

test('digests in the given order, remembered in a cache directory that is made', async () => {
  const other = join(dir, 'other');
  await writeFile(other, 'other');
  expect(await digestFiles([other, file, other], cache)).toEqual([
    sha256('other'),
    sha256('weights'),
    sha256('other'),
  ]);
  await falsifyMemo();
  expect(await digestFiles([file], cache)).toEqual(['false']);
});

test.each<[string, () => Promise<void>]>([
  [
    'written over in place',
    async () => {
      await writeFile(file, 'WEIGHTS');
      await utimes(file, new Date(), new Date(Date.now() + 5000));
    },
  ],
  [
    'replaced by another of the same time',
    async () => {
      await writeFile(join(dir, 'new'), 'WEIGHTS');
      await utimes(join(dir, 'new'), 1_700_000_000, 1_700_000_000);
      await rename(join(dir, 'new'), file);
    },
  ],
])('a file that was %s is read again', async (_how, change) => {
  await utimes(file, 1_700_000_000, 1_700_000_000);
  await digestFiles([file], cache);
  await falsifyMemo();
  await change();
  expect(await digestFiles([file], cache)).toEqual([sha256('WEIGHTS')]);
});

test('a memo that was cut short is made again', async () => {
  await digestFiles([file], cache);
  await writeFile(memoFile(), '{"a": "b');
  expect(await digestFiles([file], cache)).toEqual([sha256('weights')]);
  expect(JSON.parse(await readFile(memoFile(), 'utf8'))).toBeTypeOf('object');
});

test('many at once write one memo after another, and leave nothing else', async () => {
  const files = Array.from({ length: 20 }, (_, i) => join(dir, `file-${i}`));
  await Promise.all(files.map((path) => writeFile(path, path)));
  const digests = await Promise.all(files.map((path) => digestFiles([path], cache)));
  expect(digests).toEqual(files.map((path) => [sha256(path)]));
  expect(await readdir(cache)).toEqual(['file-digests.json']);
});

test('a file that is not there is told', async () => {
  await expect(digestFiles([join(dir, 'none')], cache)).rejects.toMatchObject({ code: 'ENOENT' });
});
