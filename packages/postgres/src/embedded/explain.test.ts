import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { afterEach, expect, test } from 'vitest';
import { explained } from './data-dir.js';
import { TestBed } from './test-bed.js';

const bed = new TestBed();
afterEach(() => bed.clear());

test('what the file system refuses names the directory', async () => {
  const file = join(await bed.directory(), 'file');
  await writeFile(file, '');
  await expect(explained('/d', () => mkdir(join(file, 'x')))).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/^the data directory \/d cannot be used: ENOTDIR/),
    hint: expect.stringContaining('A part of this path is a file'),
  });
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  await expect(explained('/d', () => Promise.reject(full))).rejects.toMatchObject({
    hint: expect.stringContaining('is full'),
    cause: full,
  });
});

test('other errors stay what they are', async () => {
  const mistake = new UserError('a');
  const defect = new TypeError('b');
  await expect(explained('/d', () => Promise.reject(mistake))).rejects.toBe(mistake);
  await expect(explained('/d', () => Promise.reject(defect))).rejects.toBe(defect);
});
