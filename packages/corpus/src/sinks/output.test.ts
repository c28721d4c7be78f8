import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeText } from './output.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-text-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('the file is there, whole and alone, and replaces what was there', async () => {
  const path = join(dir, 'report.html');
  await writeFile(path, 'old');
  const text = 'ä🙂\n'.repeat(100_000);
  await writeText(path, text);
  expect(await readFile(path, 'utf8')).toBe(text);
  expect(await readdir(dir)).toEqual(['report.html']);
});

test('a directory that is missing is said', async () => {
  await expect(writeText(join(dir, 'none', 'report.html'), 'x')).rejects.toThrow(/none/);
});

test('a device without space is said, and is no defect', async () => {
  await expect(writeText('/dev/full', 'x')).rejects.toMatchObject({ name: 'UserError' });
});
