import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { clearStalePidFile, findPostmaster, parsePidFile } from './postmaster.js';
import { plainDir, TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('a pid file, whole and while it is being written', () => {
  const whole = '7653\n/x/data\n1795503231\n25999\n\n127.0.0.1\n 10264730         4\nready   \n';
  expect(parsePidFile(whole)).toEqual({ pid: 7653, port: 25_999, status: 'ready' });
  expect(parsePidFile('7653\n/x/data\n')).toEqual({ pid: 7653, port: 0, status: '' });
  expect(parsePidFile('')).toBeUndefined();
  // A stand-alone backend writes its number with a minus.
  expect(parsePidFile('-7653\n/x/data\n')).toBeUndefined();
});

test('any text is read or refused, never with an error', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const found = parsePidFile(text);
      if (found !== undefined) expect(found.pid).toBeGreaterThan(0);
    }),
  );
});

test('a file that names a process which is no server is stale', async () => {
  const dir = plainDir(await bed.directory());
  await mkdir(dir.data);
  await writeFile(
    join(dir.data, 'postmaster.pid'),
    `${process.pid}\n${dir.data}\n1\n5432\n\n127.0.0.1\n1 1\nready\n`,
  );
  expect(await findPostmaster(dir)).toBeUndefined();
  await clearStalePidFile(dir);
  expect(await readdir(dir.data)).toEqual([]);
  await clearStalePidFile(dir);
});
