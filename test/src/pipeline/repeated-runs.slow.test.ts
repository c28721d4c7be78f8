import { join } from 'node:path';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childrenOf } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { goldenGuard, readScores, TocsinProcess, writeJsonl } from '../setup/tocsin.js';

const ROWS = randomRows(60, 12);

let dir: string;
let database: TestDatabase;
beforeAll(async () => {
  dir = scratchDir();
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

let runs = 0;

/** Scores rows into the shared database, and records whether a worker process was started. */
async function score(rows: readonly unknown[]) {
  const name = join(dir, `run-${++runs}`);
  const corpus = await writeJsonl(`${name}.jsonl`, rows);
  const out = `${name}-scores.jsonl`;
  const command = new TocsinProcess(
    ['score', corpus, ...goldenGuard('llama-residual'), '-o', out, '--json'],
    {
      env: { DATABASE_URL: database.url },
    },
  );
  let hadWorker = false;
  const look = setInterval(() => {
    hadWorker ||= childrenOf(command.pid).length > 0;
  }, 20);
  const { exitCode, stdout, stderr } = await command.ended;
  clearInterval(look);
  if (exitCode !== 0) throw new Error(stderr);
  return { summary: JSON.parse(String(stdout)), scores: await readScores(out), hadWorker };
}

test('a corpus that was scored before costs no forward pass, in whatever order and with whatever keys', async () => {
  const first = await score(ROWS);
  expect(first).toMatchObject({
    hadWorker: true,
    summary: { rows: 60, scored: 60, fresh: 60, fromCache: 0 },
  });

  const again = await score(ROWS);
  expect(again).toMatchObject({
    hadWorker: false,
    summary: { rows: 60, scored: 60, fresh: 0, fromCache: 60, duplicates: 0, tokens: 0, scoringSeconds: 0 },
  });
  expect(again.scores).toEqual(first.scores);

  const renamed = await score(ROWS.toReversed().map(({ text }) => ({ text })));
  expect(renamed).toMatchObject({ hadWorker: false, summary: { scored: 60, fresh: 0 } });
  expect(renamed.scores.map((row) => row.score)).toEqual(first.scores.map((row) => row.score).toReversed());
});

test('of a corpus that has grown, only what is new is scored', async () => {
  const grown = [...ROWS, ...randomRows(5, 12, 2).map((row) => ({ ...row, text: `new ${row.text}` }))];
  const { summary, scores } = await score(grown);
  expect(summary).toMatchObject({ rows: 65, scored: 65, fresh: 5, fromCache: 60 });
  expect(scores).toHaveLength(65);
});

test('a text that stands in many rows costs one forward pass', async () => {
  const texts = ['repeated one', 'repeated two', 'repeated three'];
  // More rows than the first window: some repeat a row of an earlier window.
  const rows = Array.from({ length: 900 }, (_, i) => ({ text: texts[i % texts.length] }));
  const { rows: before } = await database.pool.query('select count(*) as passes from scores');
  const { summary, scores } = await score(rows);
  const { rows: after } = await database.pool.query('select count(*) as passes from scores');

  expect(summary).toMatchObject({ rows: 900, scored: 900, fresh: 3, fromCache: 0, duplicates: 897 });
  expect(after[0].passes - before[0].passes).toBe(3);
  expect(new Set(scores.map((row) => row.score)).size).toBe(3);
  // Blanks that the cleaning removes do not change the content.
  expect((await score([{ text: '  repeated \t one ' }])).summary).toMatchObject({
    scored: 1,
    fresh: 0,
    fromCache: 1,
  });
});
