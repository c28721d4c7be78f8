import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { parse } from 'csv-parse/sync';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { openScoring, type Scoring } from '../setup/scoring.js';
import { parseLines, readScores, type ScoreLine, writeJsonl } from '../setup/tocsin.js';

const ROWS = [
  { id: 'post', text: 'What a lovely morning.' },
  { id: 'exchange', prompt: 'How do I bake bread?', response: 'With flour, water and time.' },
  { id: 'prompt', prompt: 'How do I bake bread?' },
  { id: 'response', response: 'With flour, water and time.' },
  { id: 7, text: 'With, "quotes" and\nlines' },
  { text: 'How do I bake bread?\nWith flour, water and time.' },
  { id: '=1+1', text: 'a key that a spreadsheet would compute' },
];
const KEYS = ['post', 'exchange', 'prompt', 'response', '7', 'line:6', '=1+1'];

let dir: string;
let expected: ScoreLine[];

let scoring: Scoring;
const score: Scoring['score'] = (...args) => scoring.score(...args);

function fromCsv(text: string | Buffer): Record<string, string>[] {
  return parse(text, { columns: true });
}

const asCsv = ({ key, ...row }: ScoreLine): Record<string, string> => ({
  key: key.startsWith('=') ? `'${key}` : key,
  score: String(row.score),
  harmful: String(row.harmful),
  threshold: String(row.threshold),
  tokens: String(row.tokens),
  truncated: String(row.truncated),
  error: '',
});

afterAll(() => scoring.close());
beforeAll(async () => {
  dir = scratchDir();
  scoring = await openScoring();
  await writeJsonl(join(dir, 'rows.jsonl'), ROWS);
  await writeFile(join(dir, 'rows.jsonl.gz'), gzipSync(await readFile(join(dir, 'rows.jsonl'))));
  const out = join(dir, 'expected.jsonl');
  expect(await score([join(dir, 'rows.jsonl'), '-o', out])).toMatchObject({ exitCode: 0 });
  expected = await readScores(out);
});

test('JSONL: one line a row, in order, with all its fields', () => {
  expect(expected.map(({ key }) => key)).toEqual(KEYS);
  for (const row of expected) {
    expect(Object.keys(row)).toEqual(['key', 'score', 'harmful', 'threshold', 'tokens', 'truncated']);
    expect(row).toMatchObject({ threshold: 0.5, truncated: false });
  }
});

test('an exchange is scored as one text', () => {
  const [, exchange, prompt, response, , asText] = expected.map(({ score }) => score);
  expect(exchange).toBe(asText);
  expect([prompt, response]).not.toContain(exchange);
});

test('gzip in, CSV out', async () => {
  const out = join(dir, 'out.csv');
  expect(await score([join(dir, 'rows.jsonl.gz'), '-o', out])).toMatchObject({ exitCode: 0 });
  expect(fromCsv(await readFile(out))).toEqual(expected.map(asCsv));
});

test('standard input to standard output, with nothing else on it', async () => {
  const ended = await score(['-'], { stdin: await readFile(join(dir, 'rows.jsonl')) });
  expect(ended.exitCode).toBe(0);
  expect(parseLines(ended.stdout)).toEqual(expected);
  expect(ended.stderr).toContain('rows:       7\n');
});

test('compressed standard input to CSV on standard output', async () => {
  const ended = await score(['-', '--format', 'csv', '-o', '-'], {
    stdin: await readFile(join(dir, 'rows.jsonl.gz')),
  });
  expect(ended.exitCode).toBe(0);
  expect(fromCsv(ended.stdout)).toEqual(expected.map(asCsv));
});

test.each(['out.jsonl.gz', 'out.csv.gz'])('%s is compressed', async (name) => {
  const out = join(dir, name);
  expect(await score([join(dir, 'rows.jsonl'), '-o', out])).toMatchObject({ exitCode: 0 });
  const text = gunzipSync(await readFile(out));
  if (name.includes('csv')) expect(fromCsv(text)).toEqual(expected.map(asCsv));
  else expect(parseLines(text)).toEqual(expected);
});

test('several files are one corpus; a row without an id is named by its file and line', async () => {
  const more = await writeJsonl(join(dir, 'more.jsonl'), [{ text: 'first' }, { text: 'second' }]);
  const ended = await score([join(dir, 'rows.jsonl'), more]);
  expect(ended.exitCode).toBe(0);
  expect(parseLines(ended.stdout).map(({ key }) => key)).toEqual([
    ...KEYS.map((key) => (key === 'line:6' ? 'rows.jsonl:line:6' : key)),
    'more.jsonl:line:1',
    'more.jsonl:line:2',
  ]);
});

test('fields can have other names', async () => {
  const rows = [
    { uid: 1, body: ROWS[0]?.text },
    { uid: 2, question: ROWS[1]?.prompt, answer: ROWS[1]?.response },
  ];
  const file = await writeJsonl(join(dir, 'named.jsonl'), rows);
  const names = ['--text-field', 'body', '--prompt-field', 'question', '--response-field', 'answer'];
  const ended = await score([file, ...names, '--id-field', 'uid']);
  expect(parseLines(ended.stdout)).toEqual([
    { ...expected[0], key: '1' },
    { ...expected[1], key: '2' },
  ]);
});

describe('what a score means', () => {
  test('--threshold decides, without a new score', async () => {
    const scores = expected.map(({ score = 0 }) => score).toSorted((a, b) => a - b);
    const threshold = scores[3] ?? 0;
    const ended = await score([join(dir, 'rows.jsonl'), '--threshold', String(threshold)]);
    expect(parseLines(ended.stdout)).toEqual(
      expected.map((row) => ({ ...row, threshold, harmful: (row.score ?? 0) >= threshold })),
    );
    expect(ended.stderr).toContain(`flagged:    4 (score >= ${threshold})`);
    expect(ended.stderr).toContain('new:        0\n');
  });

  test('--json prints the summary, and only it, on standard output', async () => {
    const out = join(dir, 'json.jsonl');
    const ended = await score([join(dir, 'rows.jsonl'), '-o', out, '--json']);
    expect(JSON.parse(String(ended.stdout))).toEqual({
      run: expect.any(Number),
      state: 'done',
      reasons: [],
      notes: [],
      truncated: 0,
      rows: 7,
      scored: 7,
      fresh: 0,
      fromCache: 7,
      duplicates: 0,
      rejected: 0,
      failed: 0,
      flagged: expected.filter(({ harmful }) => harmful).length,
      threshold: 0.5,
      tokens: 0,
      scoringSeconds: 0,
      tokensPerSecond: 0,
      guard: expect.stringContaining('qwen3-mlp'),
      precision: 'float32',
      fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
      out,
    });
  });
});
