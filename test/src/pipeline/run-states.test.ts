import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createPool, type Pool } from '@tocsin/postgres';
import { listRuns } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { randomRows } from '../setup/random-words.js';
import { scratchDir } from '../setup/scratch.js';
import { type Ended, goldenGuard, TocsinProcess, tocsin, writeJsonl } from '../setup/tocsin.js';

const guard = goldenGuard('qwen3-mlp');
let dir: string;
let database: TestDatabase;
let pool: Pool;
let cut: string;
beforeAll(async () => {
  dir = scratchDir();
  database = await TestDatabase.empty();
  pool = createPool(database.url, { applicationName: 'tocsin test' });
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
    expect(found?.reason).toMatch(/gzip data .* ends too early/);
    expect(ended.stderr).toContain(`tocsin: ${found?.reason}`);

    const shown = await run(['run', String(found?.id)]);
    expect(String(shown.stdout)).toMatch(/^state: +failed\nreason: +\S.*ends too early/m);
    expect(await run(['run', String(found?.id), '--watch'])).toMatchObject({ exitCode: 1 });
    expect(String((await run(['runs'])).stdout)).toMatch(/ failed /);
  },
);

test('a run of nothing but rejects has failed, though its output says what became of each row', async () => {
  const corpus = join(dir, 'bad.jsonl');
  await writeFile(corpus, 'no JSON\nno JSON either\n');
  const out = join(dir, 'bad-scores.jsonl');
  expect(await run(['score', corpus, ...guard, '-o', out])).toMatchObject({ exitCode: 1 });
  // It is noticed at the first rows, before anything is stored.
  expect(await newest()).toMatchObject({ state: 'failed', rows: 0 });
  expect((await newest())?.reason).toMatch(/bad\.jsonl/);
});

test('scores that cannot be written change nothing of a run whose rows all have one', async () => {
  const corpus = await writeJsonl(join(dir, 'good.jsonl'), randomRows(3, 8));
  const ended = await run(['score', corpus, ...guard, '-o', '/dev/full', '--format', 'jsonl']);
  expect(ended.exitCode).toBe(1);
  expect(await newest()).toMatchObject({ state: 'done', scored: 3 });
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
