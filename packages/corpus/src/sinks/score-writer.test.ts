import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { isUserError, type UserError } from '@tocsin/core';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ScoreRow } from './score-format.js';
import { checkOutput, writerFor } from './score-writer.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-writer-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const row = (i: number): ScoreRow => ({
  key: `row-${i}`,
  score: 0.5,
  harmful: true,
  threshold: 0.5,
  tokens: 3,
  truncated: false,
});
const many = (from: number, count: number): ScoreRow[] =>
  Array.from({ length: count }, (_, i) => row(from + i));

async function refusal(work: Promise<unknown>): Promise<UserError> {
  try {
    await work;
  } catch (error) {
    if (isUserError(error)) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a file', () => {
  test.each([
    ['out.jsonl', (bytes: Buffer) => bytes.toString(), 0],
    ['out.csv', (bytes: Buffer) => bytes.toString(), 1],
    ['out.csv.gz', (bytes: Buffer) => gunzipSync(bytes).toString(), 1],
  ])('%s holds every row in order', async (name, open, headers) => {
    const path = join(dir, name);
    const writer = await writerFor(path);
    for (let i = 0; i < 20; i += 1) await writer.write(many(i * 1000, 1000));
    await writer.finish();
    const lines = open(await readFile(path))
      .trimEnd()
      .split('\n');
    expect(lines).toHaveLength(20_000 + headers);
    expect(lines.every((line, i) => i < headers || line.includes(`row-${i - headers}`))).toBe(true);
    expect(await readdir(dir)).toEqual([name]);
  });

  test('without rows is empty, or has its header', async () => {
    for (const name of ['out.jsonl', 'out.csv']) await (await writerFor(join(dir, name))).finish();
    expect(await readFile(join(dir, 'out.jsonl'), 'utf8')).toBe('');
    expect(await readFile(join(dir, 'out.csv'), 'utf8')).toBe(
      'key,score,harmful,threshold,tokens,truncated,error\n',
    );
  });

  test('appears only when it is whole, and replaces an older one', async () => {
    const path = join(dir, 'out.jsonl');
    await writeFile(path, 'old');
    const writer = await writerFor(path);
    await writer.write(many(0, 5000));
    expect(await readFile(path, 'utf8')).toBe('old');
    expect(await readdir(dir)).toEqual([`.out.jsonl.${process.pid}.partial`, 'out.jsonl']);
    await writer.finish();
    expect(await readFile(path, 'utf8')).toContain('row-4999');
    expect(await readdir(dir)).toEqual(['out.jsonl']);
  });

  test('that is given up leaves nothing, and the older one as it was', async () => {
    for (const name of ['out.jsonl', 'out.jsonl.gz']) {
      const path = join(dir, name);
      await writeFile(path, 'old');
      const writer = await writerFor(path);
      await writer.write(many(0, 5000));
      await writer.abort();
      await writer.abort();
      await expect(writer.finish()).rejects.toThrow('aborted');
      expect(await readFile(path, 'utf8')).toBe('old');
    }
    expect((await readdir(dir)).sort()).toEqual(['out.jsonl', 'out.jsonl.gz']);
  });

  test('that is finished stays, whatever is called after', async () => {
    const path = join(dir, 'out.jsonl');
    const writer = await writerFor(path);
    await writer.write([row(1)]);
    await writer.finish();
    await writer.finish();
    await writer.abort();
    expect(await readFile(path, 'utf8')).toContain('row-1');
  });

  test('keeps the permissions of the one it replaces, and a symbolic link stays one', async () => {
    const real = join(dir, 'real.jsonl');
    const link = join(dir, 'link.jsonl');
    await writeFile(real, 'old');
    await chmod(real, 0o600);
    await symlink(real, link);
    const writer = await writerFor(link);
    await writer.write([row(1)]);
    await writer.finish();
    expect(await readFile(real, 'utf8')).toContain('row-1');
    expect((await stat(real)).mode & 0o777).toBe(0o600);
    expect((await readdir(dir)).sort()).toEqual(['link.jsonl', 'real.jsonl']);
  });

  test('starts afresh when a killed run with the same pid left its part', async () => {
    await writeFile(join(dir, `.out.jsonl.${process.pid}.partial`), 'left over\n'.repeat(100));
    const writer = await writerFor(join(dir, 'out.jsonl'));
    await writer.write([{ key: 'a', error: 'e' }]);
    await writer.finish();
    expect(await readFile(join(dir, 'out.jsonl'), 'utf8')).toBe('{"key":"a","error":"e"}\n');
  });

  test('whose directory goes away in the meantime is a clear failure', async () => {
    const folder = join(dir, 'folder');
    await mkdir(folder);
    const writer = await writerFor(join(folder, 'out.jsonl'));
    await rm(folder, { recursive: true });
    const error = await refusal(writer.finish());
    expect(error.message).toContain(join(folder, 'out.jsonl'));
  });
});

describe('pipes and devices are written to, never replaced', () => {
  test('a full device is a clear failure', async () => {
    for (const format of ['jsonl', 'csv']) {
      const writer = await writerFor('/dev/full', format);
      const error = await refusal(writer.write(many(0, 5000)));
      expect(error.message).toContain('ENOSPC');
      expect(error.hint).toContain('space');
    }
    expect((await stat('/dev/full')).isCharacterDevice()).toBe(true);
  });

  test('a full device behind gzip, too', async () => {
    const link = join(dir, 'full.jsonl.gz');
    await symlink('/dev/full', link);
    const writer = await writerFor(link);
    await writer.write(many(0, 10));
    expect((await refusal(writer.finish())).message).toContain('ENOSPC');
  });

  test('a named pipe', async () => {
    const fifo = join(dir, 'pipe.jsonl');
    execFileSync('mkfifo', [fifo]);
    await checkOutput(fifo);
    const reader = spawn('cat', [fifo], { stdio: ['ignore', 'pipe', 'inherit'] });
    const got = text(reader.stdout);
    const writer = await writerFor(fifo);
    await writer.write([row(7)]);
    await writer.finish();
    expect(await got).toContain('row-7');
    expect((await stat(fifo)).isFIFO()).toBe(true);
  });
});

describe('stdout', () => {
  test('gets JSONL, or CSV if asked, and stays open', async () => {
    for (const [format, start] of [
      [undefined, '{"key":"row-1"'],
      ['csv', 'key,score'],
    ] as const) {
      const stdout = new PassThrough();
      const got = text(stdout);
      const writer = await writerFor('-', format, { stdout });
      await writer.write([row(1)]);
      await writer.finish();
      expect(stdout.writableEnded).toBe(false);
      stdout.end('after\n');
      const all = await got;
      expect(all.startsWith(start)).toBe(true);
      expect(all.endsWith('\nafter\n')).toBe(true);
    }
  });

  test('waits for a slow reader', async () => {
    const stdout = new PassThrough({ highWaterMark: 1024 });
    const writer = await writerFor('-', undefined, { stdout });
    let first = false;
    const steps = (async () => {
      await writer.write(many(0, 5000));
      first = true;
      await writer.write(many(5000, 5000));
      await writer.finish();
      stdout.end();
    })();
    await new Promise((resolve) => setImmediate(resolve));
    // One write may be under way, and no more is taken in before the reader has had it.
    expect(stdout.writableLength + stdout.readableLength).toBeLessThan(1_000_000);
    const lines = (await text(stdout)).trimEnd().split('\n');
    await steps;
    expect(first).toBe(true);
    expect(lines).toHaveLength(10_000);
  });

  test('whose reader has seen enough is no failure', async () => {
    const head = spawn('head', ['-n', '1'], { stdio: ['pipe', 'pipe', 'inherit'] });
    const got = text(head.stdout);
    const closed = once(head, 'close');
    const writer = await writerFor('-', undefined, { stdout: head.stdin });
    for (let i = 0; i < 100 && !writer.readerGone; i += 1) await writer.write(many(i * 5000, 5000));
    expect(writer.readerGone).toBe(true);
    await writer.write([row(1)]);
    await writer.finish();
    await writer.abort();
    await closed;
    expect(JSON.parse(await got)).toMatchObject({ key: 'row-0' });
  });
});

describe('checkOutput', () => {
  test('accepts what can be written and leaves nothing there', async () => {
    await checkOutput(join(dir, 'out.jsonl'));
    await checkOutput(join(dir, 'out.csv.gz'));
    await checkOutput('-');
    await checkOutput('/dev/null', 'csv');
    expect(await readdir(dir)).toEqual([]);
  });

  test('refuses a directory, one that is missing, a file as directory, and an unknown name', async () => {
    await mkdir(join(dir, 'a.jsonl'));
    await writeFile(join(dir, 'file'), '');
    expect((await refusal(checkOutput(join(dir, 'a.jsonl')))).message).toContain('it is a directory');
    const missing = await refusal(checkOutput(join(dir, 'gone', 'out.csv')));
    expect(missing.message).toContain('ENOENT');
    expect(missing.hint).toContain('Create the directory');
    expect((await refusal(checkOutput(join(dir, 'file', 'out.csv')))).hint).toContain('is a file');
    expect((await refusal(checkOutput(join(dir, 'out.xlsx')))).hint).toContain('.csv');
    expect((await refusal(checkOutput(join(dir, `${'n'.repeat(250)}.csv`)))).hint).toContain('shorter');
  });

  test('refuses a directory that may not be written to', async () => {
    const folder = join(dir, 'closed');
    await mkdir(folder);
    await chmod(dir, 0o755);
    await chmod(folder, 0o555);
    // Root may write everywhere: be another user for a moment.
    const root = process.geteuid?.() === 0;
    if (root) process.seteuid?.(65_534);
    try {
      const error = await refusal(checkOutput(join(folder, 'out.jsonl')));
      expect(error.message).toContain('EACCES');
      expect(error.hint).toContain('may write');
    } finally {
      if (root) process.seteuid?.(0);
    }
  });
});
