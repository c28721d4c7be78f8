import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { addHolder, newHolder, otherHolders, removeHolder } from './lock.js';
import { plainDir, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('holders come and go, and a process may hold twice', async () => {
  const dir = plainDir(await bed.directory());
  const [one, two] = [await newHolder(), await newHolder()];
  expect(await otherHolders(dir, one)).toBe(0);
  await addHolder(dir, one);
  await addHolder(dir, two);
  expect(await otherHolders(dir, one)).toBe(1);
  await removeHolder(dir, one);
  expect(await otherHolders(dir, two)).toBe(0);
  expect(await readFile(join(dir.path, 'holders'), 'utf8')).toBe(`${two}\n`);
});

test('processes that are gone are not counted', async () => {
  const dir = plainDir(await bed.directory());
  await writeFile(join(dir.path, 'holders'), `${process.pid}@1 0123456789ab\nnonsense\n`);
  const holder = await newHolder();
  await addHolder(dir, holder);
  expect(await otherHolders(dir, holder)).toBe(0);
});
