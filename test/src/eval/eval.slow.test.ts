import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import {
  type Ended,
  goldenGuard,
  readScores,
  type TocsinOptions,
  tocsin,
  writeJsonl,
} from '../setup/tocsin.js';
import { labelledRows } from './labelled-rows.js';

const ROWS = labelledRows(60);
const harmful = ROWS.filter(({ label }) => label === 1).length;

let dir: string;
let corpus: string;
/** Of each row, as from `tocsin score`. */
let scores: number[];

beforeAll(async () => {
  dir = scratchDir();
  corpus = await writeJsonl(join(dir, 'rows.jsonl'), ROWS);
  const out = join(dir, 'scores.jsonl');
  const guard = [...goldenGuard('llama-residual'), '--data-dir', join(dir, 'postgres')];
  expect(await tocsin(['score', corpus, ...guard, '-o', out])).toMatchObject({ exitCode: 0 });
  scores = (await readScores(out)).map(({ score = Number.NaN }) => score);
});

const WITH_GUARD = (): string[] => [
  ...goldenGuard('llama-residual'),
  '--label-field',
  'label',
  '--data-dir',
  join(dir, 'postgres'),
];

function evaluate(args: string[], options: TocsinOptions = {}): Promise<Ended> {
  return tocsin(['eval', ...args, ...WITH_GUARD()], options);
}

/** Computed here from the scores of `tocsin score`. */
function macroF1(threshold: number): number {
  const f1 = (label: number): number => {
    const predicted = scores.map((score) => (score >= threshold ? 1 : 0));
    const right = ROWS.filter((row, i) => row.label === label && predicted[i] === label).length;
    const wrong = ROWS.filter((row, i) => row.label !== predicted[i]).length;
    return (2 * right) / (2 * right + wrong);
  };
  return (f1(0) + f1(1)) / 2;
}

test('the measures are those of the scores that tocsin score gives', async () => {
  const ended = await evaluate([corpus, '--json', '--bootstrap', '50', '--seed', '9']);
  expect(ended.exitCode).toBe(0);
  const json = JSON.parse(String(ended.stdout));
  expect(json).toMatchObject({
    corpus: [corpus],
    labelField: 'label',
    groupField: null,
    source: { kind: 'guard', precision: 'float32', fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/) },
    counts: { rows: 60, evaluated: 60, rejected: 0, withoutLabel: 0, faultyLabel: 0, withoutScore: 0 },
    harmful,
    safe: 60 - harmful,
    threshold: 0.5,
    groups: null,
    bootstrap: { resamples: 50, seed: 9, confidence: 0.95 },
  });
  expect(json.measures.macroF1).toBeCloseTo(macroF1(0.5), 12);
  const pairs = scores.flatMap((score, i) =>
    scores.flatMap((other, j) =>
      ROWS[i]?.label === 1 && ROWS[j]?.label === 0 ? [score > other ? 1 : 0] : [],
    ),
  );
  expect(json.measures.auc).toBeCloseTo(pairs.reduce((sum: number, won) => sum + won, 0) / pairs.length, 12);
  expect(json.bootstrap.intervals.macroF1.low).toBeLessThan(json.measures.macroF1);
  expect(json.best.macroF1.macroF1).toBeGreaterThanOrEqual(json.measures.macroF1);
  expect(json.best.macroF1.macroF1).toBeCloseTo(macroF1(json.best.macroF1.threshold), 12);

  const again = await evaluate([corpus, '--json', '--bootstrap', '50', '--seed', '9']);
  expect(String(again.stdout)).toBe(String(ended.stdout));
});

test('tables for people, groups among them, and on standard error only what is being done', async () => {
  const ended = await evaluate([corpus, '--group-field', 'where', '--bootstrap', '20', '--threshold', '0.4']);
  expect(ended.exitCode).toBe(0);
  expect(ended.stderr).not.toMatch(/note:|left out|error/i);
  const text = String(ended.stdout);
  expect(text).toContain(`evaluated:   ${harmful} harmful, ${60 - harmful} safe`);
  expect(text).toMatch(new RegExp(`│ Macro F1 +│ ${macroF1(0.4).toFixed(4)} │`));
  for (const where of ['forum', 'chat']) {
    const own = ROWS.filter((row) => row.where === where);
    const few = own.length < 30 ? ' \\*' : '';
    const ofThem = own.filter(({ label }) => label === 1).length;
    expect(text).toMatch(new RegExp(`│ ${where}${few} +│ +${own.length} │ +${ofThem} │`));
  }
});

test('standard input; --bootstrap 0 makes no intervals', async () => {
  const stdin = ROWS.map((row) => JSON.stringify(row)).join('\n');
  const ended = await evaluate(['-', '--json', '--bootstrap', '0'], { stdin });
  expect(ended.exitCode).toBe(0);
  expect(JSON.parse(String(ended.stdout))).toMatchObject({ counts: { evaluated: 60 }, bootstrap: null });
});

test('a row without a usable label is left out with its line and the reason, and the others count', async () => {
  const file = join(dir, 'labels.jsonl');
  const lines = [
    '{"id":"a","text":"one","label":"unsafe"}',
    '{"id":"b","text":"two","label":"Safe"}',
    '{"id":"c","text":"three","label":"maybe so"}',
    '{"id":"d","text":"four","label":3}',
    '{"id":"e","text":"five"}',
    'nope',
    '{"id":"f","text":"six","label":[1]}',
    '{"id":"g","text":"seven","label":true}',
  ];
  await writeFile(file, lines.join('\n'));
  const ended = await evaluate([file, '--json', '--bootstrap', '0']);
  expect(ended.exitCode).toBe(2);
  expect(JSON.parse(String(ended.stdout))).toMatchObject({
    counts: { rows: 8, evaluated: 3, rejected: 1, withoutLabel: 1, faultyLabel: 3, withoutScore: 0 },
    harmful: 2,
    safe: 1,
  });
  expect(ended.stderr).toContain('5 rows were left out:');
  expect(ended.stderr).toMatch(
    /labels.jsonl, line 3: The label field "label" is another string; expected 1 or 0,/,
  );
  expect(ended.stderr).toMatch(/labels.jsonl, line 4: The label field "label" is the number 3;/);
  expect(ended.stderr).toMatch(/labels.jsonl, line 5: The row has no label/);
  expect(ended.stderr).toMatch(/labels.jsonl, line 6: The line is not JSON/);
  expect(ended.stderr).not.toContain('maybe so');
});

test('--positive names the harmful value', async () => {
  const file = await writeJsonl(
    join(dir, 'positive.jsonl'),
    ROWS.map(({ label, ...row }) => ({ ...row, label: label === 1 ? 'toxic' : `kind-${row.id}` })),
  );
  const ended = await evaluate([file, '--positive', 'toxic', '--json', '--bootstrap', '0']);
  expect(ended.exitCode).toBe(0);
  const json = JSON.parse(String(ended.stdout));
  expect(json).toMatchObject({ positive: 'toxic', harmful });
  expect(json.measures.macroF1).toBeCloseTo(macroF1(0.5), 12);
});

describe('what cannot be is said, in words', () => {
  const REFUSED: [what: string, args: () => string[], says: RegExp][] = [
    [
      'a label field that no row has',
      () => [corpus, '--label-field', 'lable'],
      /none of the 60 rows has both/,
    ],
    ['a harmful value that no row has', () => [corpus, '--positive', '2'], /no row has the label "2"/],
    ['a guard and scores', () => [corpus, '--scores', 'x.jsonl'], /both --guard and --scores were given/],
    [
      'a report in a directory that is not there',
      () => [corpus, '-o', join(dir, 'no', 'r.html')],
      /no.*r.html/,
    ],
    ['a bootstrap of a half', () => [corpus, '--bootstrap', '0.5'], /Expected a whole number/],
  ];
  test.each(REFUSED)('%s', async (_what, args, says) => {
    // The last of two --label-field options wins.
    const ended = await tocsin(['eval', ...WITH_GUARD(), ...args()]);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(says);
    expect(ended.stderr).not.toContain('    at ');
    expect(String(ended.stdout)).toBe('');
  });

  test('neither a guard nor scores', async () => {
    const ended = await tocsin(['eval', corpus, '--label-field', 'label']);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/neither --guard nor --scores was given/);
  });
});
