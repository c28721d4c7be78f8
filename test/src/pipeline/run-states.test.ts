import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createPool, type Pool } from '@tocsin/postgres';
import { listRuns } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { type Ended, goldenGuard, readScores, TocsinProcess, tocsin, writeJsonl } from '../setup/tocsin.js';

const guard = goldenGuard('qwen3-mlp');
let dir: string;
let database: TestDatabase;
let pool: Pool;
let cut: string;
beforeAll(async () => {
  dir = scratchDir();
  database = await TestDatabase.empty();
  pool = createPool(database.url, { applicationName: 'tocsin test' });
  // Creates the tables.
  await run(['runs']);
  cut = join(dir, 'cut.jsonl.gz');
  const text = randomRows(20_000, 8).map((row) => JSON.stringify(row));
  await writeFile(cut, gzipSync(text.join('\n')).subarray(0, -1000));
});
afterAll(async () => {
  await pool.end();
  await database.close();
});

const run = (args: string[]): Promise<Ended> => tocsin(args, { env: { DATABASE_URL: database.url } });
const newest = async () => (await listRuns(pool, { limit: 1 }))[0];

test.each(['score', 'submit'])(
  '%s of a corpus that breaks off fails its run, with what it prints',
  async (command) => {
    const ended = await run([command, cut, ...guard]);
    expect(ended.exitCode).toBe(1);
    const found = await newest();
    expect(found).toMatchObject({ state: 'failed' });
    expect(found?.reason).toMatch(/gzip data .* is truncated/);
    expect(ended.stderr).toContain(`tocsin: ${found?.reason}`);

    const shown = await run(['run', String(found?.id)]);
    expect(String(shown.stdout)).toMatch(/^state: +failed\nreason: +\S.*is truncated/m);
    expect(await run(['run', String(found?.id), '--watch'])).toMatchObject({ exitCode: 1 });
    expect(String((await run(['runs'])).stdout)).toMatch(/ failed /);
  },
);

test('a run of nothing but rejects of one kind has failed at its first rows', async () => {
  const corpus = join(dir, 'bad.jsonl');
  await writeFile(corpus, 'no JSON\nno JSON either\n');
  const out = join(dir, 'bad-scores.jsonl');
  expect(await run(['score', corpus, ...guard, '-o', out])).toMatchObject({ exitCode: 1 });
  // Detected at the first rows, before anything is stored.
  expect(await newest()).toMatchObject({ state: 'failed', rows: 0 });
  expect((await newest())?.reason).toMatch(/bad\.jsonl/);
});

test('a run of nothing but rejects of several kinds has failed too, and its output has each row', async () => {
  const corpus = join(dir, 'mixed.jsonl');
  // Not one shared reason from how the file is read: each row is checked.
  await writeFile(corpus, '{"text":null}\n{"text":null}\nno JSON\n');
  const out = join(dir, 'mixed-scores.jsonl');
  expect(await run(['score', corpus, ...guard, '-o', out])).toMatchObject({ exitCode: 1 });
  expect(await newest()).toMatchObject({ state: 'failed', rows: 3, rejected: 3 });
  expect(await readScores(out)).toEqual([
    expect.objectContaining({ error: expect.any(String) as string }),
    expect.objectContaining({ error: expect.any(String) as string }),
    expect.objectContaining({ error: expect.any(String) as string }),
  ]);
});

test('scores that cannot be written change nothing of a run whose rows all have one', async () => {
  const corpus = await writeJsonl(join(dir, 'good.jsonl'), randomRows(3, 8));
  const ended = await run(['score', corpus, ...guard, '-o', '/dev/full', '--format', 'jsonl']);
  expect(ended.exitCode).toBe(1);
  expect(await newest()).toMatchObject({ state: 'done', scored: 3 });
});

test.each(['score', 'submit'])(
  '%s on a database whose disk stays full is tried again, and then fails its run with what to do',
  async (command) => {
    const corpus = await writeJsonl(join(dir, 'full.jsonl'), randomRows(3, 8));
    await pool.query(`create function full_disk() returns trigger language plpgsql as $$
      begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$;
      create trigger full_disk before insert on items execute function full_disk()`);
    try {
      const env = { DATABASE_URL: database.url, TOCSIN_RETRY_SECONDS: '1' };
      const ended = await tocsin([command, corpus, ...guard], { env });
      expect(ended.exitCode, ended.stderr).toBe(1);
      const said = /the disk of the database server is full \(.*\)\nMake room there/;
      expect(ended.stderr).toMatch(said);
      const found = await newest();
      expect(found).toMatchObject({ state: 'failed', rows: 0 });
      expect(found?.reason).toMatch(said);
    } finally {
      await pool.query('drop trigger full_disk on items; drop function full_disk');
    }
  },
);

test.each([
  [
    'score',
    /^Opening the guard \.\.\.\nConnecting to the database \.\.\.\nReading rows and looking up known scores \.\.\.\n$/,
  ],
  ['submit', /^Opening the guard \.\.\.\nConnecting to the database \.\.\.\nReading the corpus \.\.\.\n$/],
])('%s says what it does before it has seen a row', async (command, said) => {
  const waiting = new TocsinProcess([command, '-', ...guard], {
    env: { DATABASE_URL: database.url },
    stdinStaysOpen: true,
  });
  await waiting.said(said);
  waiting.kill('SIGTERM');
  expect(await waiting.ended).toMatchObject({ exitCode: 130 });
});

test('score says its steps in their order', async () => {
  const corpus = await writeJsonl(join(dir, 'steps.jsonl'), randomRows(3, 8));
  const { stderr } = await run(['score', corpus, ...guard, '-o', join(dir, 'steps-scores.jsonl')]);
  expect(stderr.match(/^.*(?= \.\.\.$)/gm)).toEqual([
    'Opening the guard',
    'Connecting to the database',
    expect.stringMatching(/^Reading rows/),
    'Finishing the run',
    'Writing the scores',
  ]);
});

test('a run that is interrupted is cancelled', async () => {
  const command = new TocsinProcess(['submit', '-', ...guard], {
    env: { DATABASE_URL: database.url },
    stdin: '{"text":"one"}\n',
    stdinStaysOpen: true,
  });
  const before = (await newest())?.id ?? 0;
  await expect.poll(async () => (await newest())?.id).toBeGreaterThan(before);
  command.kill('SIGINT');
  expect(await command.ended).toMatchObject({ exitCode: 130 });
  expect(await newest()).toMatchObject({ state: 'cancelled', reason: null });
});
