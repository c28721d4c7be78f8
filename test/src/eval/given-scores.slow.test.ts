import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { type Ended, goldenGuard, tocsin, writeJsonl } from '../setup/tocsin.js';
import { labelledRows } from './labelled-rows.js';

const ROWS = labelledRows(40, 2);

let dir: string;
let corpus: string;
let scores: string;

beforeAll(async () => {
  dir = scratchDir();
  corpus = await writeJsonl(join(dir, 'rows.jsonl'), ROWS);
  scores = join(dir, 'scores.jsonl');
  const args = [...goldenGuard('qwen3-residual'), '--data-dir', join(dir, 'postgres'), '-o', scores];
  expect(await tocsin(['score', corpus, ...args])).toMatchObject({ exitCode: 0 });
});

function evaluate(labelled: string, given: string, ...args: string[]): Promise<Ended> {
  return tocsin(['eval', labelled, '--scores', given, '--label-field', 'label', '--json', ...args]);
}

const parsed = ({ stdout }: Ended) => JSON.parse(String(stdout));

test('scores that are there give what the guard gives, in any order, without texts and a database', async () => {
  const args = [...goldenGuard('qwen3-residual'), '--data-dir', join(dir, 'postgres')];
  const fresh = await tocsin(['eval', corpus, ...args, '--label-field', 'label', '--json']);
  const bare = await writeJsonl(
    join(dir, 'bare.jsonl'),
    ROWS.toReversed().map(({ id, label }) => ({ id, label })),
  );
  await writeFile(`${scores}.gz`, gzipSync(await readFile(scores)));
  const joined = await evaluate(bare, `${scores}.gz`);
  expect(joined).toMatchObject({ exitCode: 0, stderr: '' });
  const { measures, confusion, best, atFalsePositiveRates, threshold } = parsed(joined);
  // Sums over rows in another order differ in the last digit.
  expect(measures.brier).toBeCloseTo(parsed(fresh).measures.brier, 12);
  expect(measures.macroF1).toBe(parsed(fresh).measures.macroF1);
  expect(measures.auc).toBe(parsed(fresh).measures.auc);
  expect(parsed(fresh)).toMatchObject({ confusion, best, atFalsePositiveRates, threshold });
  expect(parsed(joined).source).toEqual({ kind: 'file', file: `${scores}.gz`, unmatched: 0 });
});

test.each(['csv', 'tsv', 'parquet', 'csv.gz'])('scores are read as they are written: %s', async (format) => {
  const rows = [
    { id: '=1+1', text: 'a sum', label: 1 },
    { id: '-2', text: 'a number', label: 0 },
    { id: "'=1+1", text: 'quoted', label: 0 },
    { id: '', text: 'no name', label: 1 },
    { id: '007', text: 'a spy', label: 0 },
    { id: 'two\nlines, "quoted"', text: 'two lines', label: 1 },
    { id: 'none', label: 1 },
  ];
  const odd = await writeJsonl(join(dir, 'odd.jsonl'), rows.slice(format.startsWith('parquet') ? 0 : 1));
  const out = join(dir, `odd-scores.${format}`);
  const args = [...goldenGuard('qwen3-residual'), '--data-dir', join(dir, 'postgres'), '-o', out];
  expect((await tocsin(['score', odd, ...args])).exitCode).toBe(2);
  const ended = await evaluate(odd, out);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain('It has no score: ');
  const scored = rows.length - (format.startsWith('parquet') ? 1 : 2);
  expect(parsed(ended)).toMatchObject({
    counts: { evaluated: scored, withoutScore: 1 },
    source: { kind: 'file', unmatched: 0 },
  });
});

test('rows and scores without the other are counted and said', async () => {
  const lines = (await readFile(scores, 'utf8')).trim().split('\n');
  const fewer = join(dir, 'fewer.jsonl');
  const failed = JSON.stringify({ key: ROWS[1]?.id, error: 'the engine gave up' });
  await writeFile(
    fewer,
    [failed, ...lines.slice(2), '{"key":"nobody","score":0.5,"threshold":0.5}'].join('\n'),
  );
  const ended = await evaluate(corpus, fewer);
  expect(ended.exitCode).toBe(2);
  expect(parsed(ended)).toMatchObject({
    counts: { rows: 40, evaluated: 38, withoutScore: 2 },
    source: { unmatched: 1 },
  });
  expect(ended.stderr).toMatch(/rows.jsonl, line 1: The scores have no row with the key "row-0"/);
  expect(ended.stderr).toMatch(/rows.jsonl, line 2: It has no score: the engine gave up/);
  expect(ended.stderr).toContain('1 of the scores belongs to no labelled row.');
});

const REFUSED: [what: string, rows: unknown[], given: unknown[], says: RegExp][] = [
  [
    'a key twice among the scores',
    [{ id: 'a', label: 1 }],
    [
      { key: 'a', score: 0.1 },
      { key: 'a', score: 0.1 },
    ],
    /the file of scores has the key "a" twice \(again in .*given.jsonl, line 2\)/,
  ],
  [
    'a key twice in the corpus',
    [
      { id: 'a', label: 1 },
      { id: 'a', label: 0 },
    ],
    [{ key: 'a', score: 0.1, threshold: 0.5 }],
    /the corpus has the key "a" twice \(again in .*labelled.jsonl, line 2\)/,
  ],
  [
    'a score above 1',
    [{ id: 'a', label: 1 }],
    [{ key: 'a', score: 1.5 }],
    /line 1 is not a score: its "score"/,
  ],
  ['no key', [{ id: 'a', label: 1 }], [{ id: 'a', score: 0.5 }], /line 1 is not a score: it has no "key"/],
  ['no threshold', [{ id: 'a', label: 1 }], [{ key: 'a', score: 0.5 }], /have no threshold/],
  [
    'two thresholds',
    [
      { id: 'a', label: 1 },
      { id: 'b', label: 0 },
    ],
    [
      { key: 'a', score: 0.5, threshold: 0.5 },
      { key: 'b', score: 0.5, threshold: 0.6 },
    ],
    /have different thresholds/,
  ],
];

test.each(REFUSED)('%s is refused', async (_what, rows, given, says) => {
  const ended = await evaluate(
    await writeJsonl(join(dir, 'labelled.jsonl'), rows),
    await writeJsonl(join(dir, 'given.jsonl'), given),
  );
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr).not.toContain('    at ');
});

test('--threshold stands in for one that the scores do not name', async () => {
  const labelled = await writeJsonl(join(dir, 'two.jsonl'), [
    { id: 'a', label: 1 },
    { id: 'b', label: 0 },
  ]);
  const given = await writeJsonl(join(dir, 'two-scores.jsonl'), [
    { key: 'a', score: 0.75 },
    { key: 'b', score: 0.25 },
  ]);
  const ended = await evaluate(labelled, given, '--threshold', '0.5');
  expect(parsed(ended)).toMatchObject({ threshold: 0.5, measures: { macroF1: 1, auc: 1, brier: 0.0625 } });
});
