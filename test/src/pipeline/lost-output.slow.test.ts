import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SmallDisk } from '../chaos/small-disk.js';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, ROOT, tocsin, writeJsonl } from '../setup/tocsin.js';

const COMMAND = join(ROOT, 'apps', 'tocsin', 'bin', 'tocsin.js');
/** The same text, so scoring is quick; keys long enough that their output exceeds a pipe's buffer and a small disk. */
const ROWS = Array.from({ length: 3_000 }, (_, i) => ({
  id: `${i}-${'k'.repeat(900)}`,
  text: 'I love tea.',
}));

let dir: string;
let database: TestDatabase;
let corpus: string;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  dir = scratchDir();
  database = await TestDatabase.empty();
  env = { DATABASE_URL: database.url };
  corpus = await writeJsonl(join(dir, 'rows.jsonl'), ROWS);
  expect(
    await tocsin(['score', corpus, ...goldenGuard('qwen3-mlp'), '-o', '/dev/null', '--format', 'jsonl'], {
      env,
    }),
  ).toMatchObject({ exitCode: 0 });
});
afterAll(() => database.close());

/** A command whose standard output is an open file. */
async function into(fd: number, args: string[]): Promise<{ exitCode: number | null; stderr: string }> {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', fd, 'pipe'],
  });
  const closed = once(child, 'close');
  const stderr = child.stderr === null ? '' : await text(child.stderr);
  const [exitCode] = (await closed) as [number | null];
  return { exitCode, stderr };
}

describe('a standard output that takes no more', () => {
  test.each([
    ['what a command prints', ['runs']],
    ['its JSON', ['runs', '--json']],
    ['scores', ['export', '1', '-o', '-']],
  ])('%s: exit code 1, and why', async (_what, args) => {
    const full = openSync('/dev/full', 'w');
    try {
      const ended = await into(full, args);
      expect(ended.exitCode).toBe(1);
      expect(ended.stderr.match(/stdout cannot be written: ENOSPC/g)).toHaveLength(1);
      expect(ended.stderr).not.toContain('defect');
    } finally {
      closeSync(full);
    }
  });

  test('because its reader has seen enough is no failure', async () => {
    const child = spawn(process.execPath, [COMMAND, 'export', '1', '-o', '-'], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const closed = once(child, 'close');
    const stderr = text(child.stderr);
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await closed).toEqual([0, null]);
    expect(await stderr).toBe('');
  });
});

test('a disk that fills up while scores are written: exit code 1, and no part of a file is left', async (context) => {
  const disk = await SmallDisk.mount(join(dir, 'disk'), '1m');
  if (disk === undefined) return context.skip('only root may mount a file system');
  try {
    for (const name of ['scores.jsonl', 'scores.csv']) {
      const ended = await tocsin(['export', '1', '-o', join(disk.dir, name)], { env });
      expect(ended.exitCode).toBe(1);
      expect(ended.stderr).toMatch(/scores\.\w+" cannot be written: ENOSPC/);
      expect(await readdir(disk.dir)).toEqual([]);
    }
  } finally {
    await disk.unmount();
  }
});

test('control characters of names and of errors are shown, not sent', async () => {
  const control = '\u001b]0;title\u0007 \u001b[2Jx \u009b31m';
  const name = `${control}\nstate: done\r\t\u202e\u2028`;
  await database.pool.query(`update runs set name = $1, reason = $2`, [name, control]);
  const shown = '\\u001b]0;title\\u0007 \\u001b[2Jx \\u009b31m\\nstate: done\\r\\t\\u202e\\u2028';
  const unsafe = /(?![\n\t])\p{Cc}/u;
  for (const args of [['runs'], ['run', '1']]) {
    const ended = await tocsin(args, { env });
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(String(ended.stdout)).toContain(args[0] === 'runs' ? shown.slice(-39) : shown);
    expect(String(ended.stdout)).not.toMatch(unsafe);
  }
  const json = await tocsin(['run', '1', '--json'], { env });
  expect(JSON.parse(String(json.stdout))).toMatchObject({ name });
  const ended = await tocsin(['score', join(dir, '\u001b[2Jabsent.jsonl'), ...goldenGuard('qwen3-mlp')], {
    env,
  });
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toContain('\\u001b[2Jabsent.jsonl');
  expect(ended.stderr).not.toMatch(unsafe);
});
