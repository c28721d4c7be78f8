import { link, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bytesText, diskUsage } from './disk.js';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-usage-'));
  await mkdir(join(dir, 'a', 'below'), { recursive: true });
  await mkdir(join(dir, 'b'));
  await writeFile(join(dir, 'a', 'own'), 'x'.repeat(10));
  await writeFile(join(dir, 'a', 'below', 'shared'), 'x'.repeat(100));
  await link(join(dir, 'a', 'below', 'shared'), join(dir, 'b', 'name'));
  await symlink(join(dir, 'a', 'own'), join(dir, 'b', 'pointer'));
});
afterEach(() => rm(dir, { recursive: true }));

test('a file with another name elsewhere takes space, and frees none', async () => {
  expect(await diskUsage(join(dir, 'a'))).toEqual({ bytes: 110, freed: 10 });
  expect(await diskUsage(join(dir, 'b'))).toEqual({ bytes: 100, freed: 0 });
});

test('all its names together count once, and free it', async () => {
  expect(await diskUsage(join(dir, 'a'), join(dir, 'b'))).toEqual({ bytes: 110, freed: 110 });
});

test('a file alone, and what is not there', async () => {
  expect(await diskUsage(join(dir, 'a', 'own'), join(dir, 'none'))).toEqual({ bytes: 10, freed: 10 });
});

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_960, '100 kB'],
  [999_600, '1.0 MB'],
  [92_871_040, '92.9 MB'],
  [16_060_522_496, '16.1 GB'],
  [1e17, '100 PB'],
  [1e19, '10000 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
