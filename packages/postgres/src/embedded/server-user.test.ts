import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { allows, chooseServerUser, firstClosed, isRoot } from './server-user.js';
import { TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

const stranger = { uid: 54_321, gid: 54_321 };

test('of the three triples of a mode, the first that fits the user counts', () => {
  const id = fc.integer({ min: 1, max: 3 });
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0o777 }), id, id, id, id, (mode, uid, gid, ownUid, ownGid) => {
      const digits = mode.toString(8).padStart(3, '0');
      const digit = Number(digits[uid === ownUid ? 0 : gid === ownGid ? 1 : 2]);
      for (const bits of [1, 2, 4, 5]) {
        expect(allows({ uid, gid, mode }, { uid: ownUid, gid: ownGid }, bits)).toBe((digit & bits) === bits);
      }
    }),
  );
});

test('the first directory that a user may not pass', async () => {
  const root = await bed.directory();
  const deep = join(root, 'a', 'b');
  await mkdir(deep, { recursive: true });
  for (const path of [join(root, 'a'), deep]) await chmod(path, 0o755);
  await writeFile(join(deep, 'file'), '');
  expect(await firstClosed(join(deep, 'file'), stranger)).toBeUndefined();
  await chmod(deep, 0o700);
  expect(await firstClosed(join(deep, 'file'), stranger)).toBe(deep);
  await chmod(join(root, 'a'), 0o744);
  expect(await firstClosed(deep, stranger)).toBe(join(root, 'a'));
});

test('root gives the server to the owner of the directory or to a system user, others keep it', async () => {
  const forStranger = await chooseServerUser(stranger);
  const forRoot = await chooseServerUser({ uid: 0, gid: 0 });
  if (isRoot()) {
    expect(forStranger).toEqual(stranger);
    expect(forRoot?.uid).toBeGreaterThan(0);
  } else {
    expect([forStranger, forRoot]).toEqual([undefined, undefined]);
  }
});
