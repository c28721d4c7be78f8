import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDirectory } from '@tocsin/models';
import { expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { ROOT, readScores, tocsin, writeJsonl } from '../setup/tocsin.js';

const MINUTE = 60_000;
/** The first time, the backbone is downloaded (93 MB), and the guard compiled and calibrated. */
const PATIENCE = 10 * MINUTE;

/** The user's cache, so that the starter's backbone is downloaded once instead of once per test run. */
const env = { TOCSIN_CACHE: cacheDirectory() };

interface StarterCase {
  text?: string;
  prompt?: string;
  response?: string;
  token_ids: number[];
  score: number;
}

test('the quickstart scores the sample corpus and shows the highest scores', {
  timeout: PATIENCE,
}, async () => {
  const ended = await tocsin(['quickstart'], {
    env: { ...env, TOCSIN_DATA: join(scratchDir(), 'postgres') },
  });
  expect(ended).toMatchObject({ exitCode: 0 });
  expect(ended.stderr).toMatch(
    /rows: +201\nscored: +201 .*\nnew: +192\nfrom cache: 0\nduplicates: 9\nrejected: +0\n/,
  );
  const shown = String(ended.stdout);
  expect(shown).toMatch(/The highest scores:\n( {2}0\.\d{3} {2}\S+ .+\n){8}/);
  expect(shown).toContain('out/quickstart.jsonl');
  const scores = await readScores(join(ROOT, 'out', 'quickstart.jsonl'));
  expect(scores.filter(({ score }) => score !== undefined)).toHaveLength(201);
});

test('the starter guard scores its golden cases as the reference', { timeout: PATIENCE }, async () => {
  const dir = scratchDir();
  const golden = JSON.parse(await readFile(join(ROOT, 'test/fixtures/starter/golden.json'), 'utf8')) as {
    cases: StarterCase[];
  };
  const corpus = await writeJsonl(
    join(dir, 'corpus.jsonl'),
    golden.cases.map(({ text, prompt, response }) => ({ text, prompt, response })),
  );
  const out = join(dir, 'scores.jsonl');
  const ended = await tocsin(['score', corpus, '--guard', 'starter', '-o', out], {
    env: { ...env, TOCSIN_DATA: join(dir, 'postgres') },
  });
  expect(ended).toMatchObject({ exitCode: 0 });
  const scores = await readScores(out);
  expect(scores.map(({ tokens }) => tokens)).toEqual(golden.cases.map(({ token_ids }) => token_ids.length));
  const far = scores.filter(
    ({ score = Number.NaN }, i) => !(Math.abs(score - (golden.cases[i]?.score ?? 0)) <= 1e-4),
  );
  expect(far).toEqual([]);
});
