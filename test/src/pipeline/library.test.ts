import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, parseLines, ROOT, writeJsonl } from '../setup/tocsin.js';

const run = promisify(execFile);
const TOCSIN = pathToFileURL(join(ROOT, 'apps', 'tocsin', 'dist', 'index.js')).href;
const [, guard = '', , backbone = ''] = goldenGuard('qwen3-residual');

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

/** Runs a user's program that imports the package. */
async function program(name: string, code: string): Promise<unknown> {
  const file = join(scratchDir(), `${name}.mjs`);
  await writeFile(file, `import { scoreCorpus, UserError } from ${JSON.stringify(TOCSIN)};\n${code}`);
  const { stdout } = await run(process.execPath, [file], {
    env: { ...process.env, DATABASE_URL: database.url },
  });
  return JSON.parse(stdout);
}

test('scoreCorpus scores files into a file, and the second time from the database', async () => {
  const dir = scratchDir();
  const corpus = await writeJsonl(join(dir, 'rows.jsonl'), [{ id: 'a', body: 'one' }, { id: 'b' }]);
  const out = join(dir, 'scores.jsonl');
  const options = JSON.stringify({
    guard,
    backbone,
    out,
    fields: { text: 'body' },
    threads: 1,
    threshold: 0,
  });
  const code = `const first = await scoreCorpus(${JSON.stringify(corpus)}, ${options});
const second = await scoreCorpus([${JSON.stringify(corpus)}], ${options});
console.log(JSON.stringify([first, second]));`;
  expect(await program('twice', code)).toMatchObject([
    { state: 'done', rows: 2, scored: 1, rejected: 1, fresh: 1, fromCache: 0, flagged: 1 },
    { state: 'done', rows: 2, scored: 1, rejected: 1, fresh: 0, fromCache: 1, flagged: 1 },
  ]);
  const lines = parseLines(await readFile(out));
  expect(lines).toMatchObject([
    { key: 'a', score: expect.any(Number) },
    { key: 'b', error: expect.any(String) },
  ]);
});

test('mistakes are thrown as UserError with a hint', async () => {
  const code = `await scoreCorpus('missing.jsonl', ${JSON.stringify({ guard, backbone, out: '-' })}).catch((error) =>
  console.log(JSON.stringify({ user: error instanceof UserError, message: error.message })));`;
  expect(await program('missing', code)).toMatchObject({
    user: true,
    message: expect.stringContaining('missing.jsonl'),
  });
});
