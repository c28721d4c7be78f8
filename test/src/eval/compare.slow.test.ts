import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenDirs } from '@tocsin/siren/testing';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, readScores, tocsin, writeJsonl } from '../setup/tocsin.js';
import { labelledRows } from './labelled-rows.js';

const ROWS = labelledRows(40, 4);
const A = goldenDirs('qwen3-residual');
const B = goldenDirs('qwen3-mlp');

let dir: string;
let corpus: string;
let backbones: string[];

beforeAll(async () => {
  dir = scratchDir();
  // The last three rows have no label.
  const rows = ROWS.map(({ label, ...row }, i) => (i < 37 ? { ...row, label } : row));
  corpus = await writeJsonl(join(dir, 'rows.jsonl'), rows);
  backbones = ['--backbone-a', A.backbone, '--backbone-b', B.backbone, '--data-dir', join(dir, 'postgres')];
});

async function scoresOf(name: 'qwen3-residual' | 'qwen3-mlp'): Promise<number[]> {
  const out = join(dir, `${name}.jsonl`);
  const args = [...goldenGuard(name), '--data-dir', join(dir, 'postgres'), '-o', out];
  expect(await tocsin(['score', corpus, ...args])).toMatchObject({ exitCode: 0 });
  return (await readScores(out)).map(({ score = Number.NaN }) => score);
}

test('the drift is that of the scores that tocsin score gives, with labels where there are some', async () => {
  const [a, b] = [await scoresOf('qwen3-residual'), await scoresOf('qwen3-mlp')];
  const report = join(dir, 'drift.html');
  const args = ['--label-field', 'label', '--json', '-o', report, '--threshold', '0.45'];
  const ended = await tocsin(['compare', A.artifact, `${B.artifact}:float32`, corpus, ...backbones, ...args]);
  expect(ended.exitCode).toBe(0);
  const json = JSON.parse(String(ended.stdout));
  const differences = a.map((score, i) => Math.abs(score - (b[i] ?? Number.NaN)));
  expect(json).toMatchObject({
    a: { guard: A.artifact, precision: 'float32', threshold: 0.45 },
    b: { guard: B.artifact, precision: 'float32', threshold: 0.45 },
    counts: { rows: 40, compared: 40, labelled: 37, rejected: 0, faultyLabel: 0, withoutScore: 0 },
    maxDifference: Math.max(...differences),
    flips: {
      toHarmful: a.filter((score, i) => score < 0.45 && (b[i] ?? 0) >= 0.45).length,
      toSafe: a.filter((score, i) => score >= 0.45 && (b[i] ?? 0) < 0.45).length,
    },
  });
  expect(json.a.fingerprint).not.toBe(json.b.fingerprint);
  expect(json.meanDifference).toBeCloseTo(differences.reduce((sum, one) => sum + one, 0) / 40, 12);
  const { bothRight, onlyARight, onlyBRight, bothWrong } = json.labelled.paired;
  expect(bothRight + onlyARight + onlyBRight + bothWrong).toBe(37);
  const page = await readFile(report, 'utf8');
  expect(page.match(/<svg /g)).toHaveLength(2);
  expect(page.match(/<script|<link|<img|url\((?!#)/i)).toBeNull();
  expect(ROWS.filter(({ text }) => page.includes(text))).toEqual([]);
});

test('a guard does not drift from itself, and is run once', async () => {
  const args = ['--backbone-a', A.backbone, '--backbone-b', A.backbone, '--data-dir', join(dir, 'postgres')];
  const ended = await tocsin(['compare', A.artifact, A.artifact, corpus, ...args]);
  expect(ended.exitCode).toBe(0);
  const text = String(ended.stdout);
  expect(text).toMatch(/│ max \|difference\| +│ +0 │/);
  expect(text).toMatch(/│ equal scores +│ +40 \(100 %\) │/);
  expect(text).not.toContain('Macro F1');
});

test('a label that is none leaves its row out', async () => {
  const file = await writeJsonl(join(dir, 'faulty.jsonl'), [
    { id: 'a', text: 'one', label: 1 },
    { id: 'b', text: 'two', label: 'who knows' },
  ]);
  const ended = await tocsin([
    'compare',
    A.artifact,
    B.artifact,
    file,
    ...backbones,
    '--label-field',
    'label',
  ]);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toMatch(/faulty.jsonl, line 2: The label field "label" is another string/);
});

test('standard input is refused: it is there only once', async () => {
  const ended = await tocsin(['compare', A.artifact, B.artifact, '-', ...backbones]);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toMatch(/standard input \(-\) can be read only once/);
});
