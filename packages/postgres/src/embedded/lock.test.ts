import { readdir, readlink, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { withLock } from './lock.js';
import { identifySelf } from './process-identity.js';
import { plainDir, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

async function locks(path: string): Promise<string[]> {
  return (await readdir(path)).filter((name) => name.startsWith('lock.'));
}

test('one at a time, and old numbers are cleared away', async () => {
  const dir = plainDir(await bed.directory());
  let inside = 0;
  let most = 0;
  const work = async (index: number) => {
    most = Math.max(most, ++inside);
    await sleep(1);
    inside--;
    return index;
  };
  const results = await Promise.all(
    Array.from({ length: 12 }, (_, index) => withLock(dir, () => work(index))),
  );
  expect(results).toEqual(Array.from({ length: 12 }, (_, index) => index));
  expect(most).toBe(1);
  expect((await locks(dir.path)).length).toBeLessThanOrEqual(8);
});

test('it is free again after a failure', async () => {
  const dir = plainDir(await bed.directory());
  await expect(withLock(dir, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await withLock(dir, async () => 'yes')).toBe('yes');
});

test('many take over from a dead holder, one at a time', async () => {
  const dir = plainDir(await bed.directory());
  // Our own number at another time: what a killed process leaves when its number is used again.
  await symlink(`${process.pid}@1`, join(dir.path, 'lock.41'));
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await sleep(1);
    inside--;
  };
  await Promise.all(Array.from({ length: 8 }, () => withLock(dir, work)));
  expect(most).toBe(1);
  expect(await readlink(join(dir.path, 'lock.57'))).toBe('free');
});

test('a live holder is waited for, in the end with an error that names it', async () => {
  const dir = plainDir(await bed.directory());
  await symlink(await identifySelf(), join(dir.path, 'lock.7'));
  await expect(withLock(dir, async () => 'yes', { patience: 120 })).rejects.toThrow(
    `process ${process.pid} has been`,
  );
});
