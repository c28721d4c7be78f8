import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUserError } from '@tocsin/core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkSources } from './check-sources.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-sources-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function refusal(sources: string[]): Promise<{ message: string; hint: string }> {
  try {
    await checkSources(sources);
  } catch (error) {
    if (isUserError(error)) return { message: error.message, hint: error.hint ?? '' };
    throw error;
  }
  throw new Error('the sources were accepted');
}

test('the size is that of all files as stored', async () => {
  await writeFile(join(dir, 'a.jsonl'), '12345');
  await writeFile(join(dir, 'b.jsonl'), '');
  await writeFile(join(dir, 'c.jsonl'), '123');
  expect(await checkSources(['a', 'b', 'c'].map((name) => join(dir, `${name}.jsonl`)))).toEqual({ bytes: 8 });
});

test('with stdin or a pipe the size is not known', async () => {
  const file = join(dir, 'a.jsonl');
  const fifo = join(dir, 'pipe');
  await writeFile(file, '12345');
  execFileSync('mkfifo', [fifo]);
  expect(await checkSources(['-', file])).toEqual({ bytes: undefined });
  expect(await checkSources([fifo, file])).toEqual({ bytes: undefined });
});

test('no source, and stdin twice, are refused', async () => {
  expect(await refusal([])).toMatchObject({ message: 'no corpus given' });
  expect(await refusal(['-', 'a', '-'])).toMatchObject({ message: 'stdin (-) cannot be read twice' });
});

test('a missing file is named, with the place where names start', async () => {
  const file = join(dir, 'gone.jsonl');
  const { message, hint } = await refusal([file]);
  expect(message).toBe(`"${file}" cannot be read: no such file`);
  expect(hint).toContain(process.cwd());
});

test('a directory is named, with how to name what is in it', async () => {
  const folder = join(dir, 'logs');
  await mkdir(folder);
  const { message, hint } = await refusal([`${folder}/`]);
  expect(message).toBe(`"${folder}/" cannot be read: it is a directory`);
  expect(hint).toContain(`${folder}/*.jsonl`);
});

test('a file that may not be read is named, with what to do', async () => {
  const file = join(dir, 'closed.jsonl');
  await writeFile(file, '{}');
  await chmod(dir, 0o755);
  await chmod(file, 0o000);
  // Root may read everything: be another user for a moment.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65_534);
  try {
    const { message, hint } = await refusal([file]);
    expect(message).toBe(`"${file}" cannot be read: permission denied`);
    expect(hint).toContain('chmod');
  } finally {
    if (root) process.seteuid?.(0);
  }
});

test('a symbolic link that leads nowhere but to itself is refused with the reason', async () => {
  const link = join(dir, 'loop.jsonl');
  await symlink(link, link);
  expect((await refusal([link])).message).toContain('ELOOP');
});
