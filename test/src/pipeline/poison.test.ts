import { join } from 'node:path';
import { expect, test } from 'vitest';
import { POISON, poisonedBackbone } from '../setup/poisoned-backbone.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { goldenGuard, readScores, tocsin, writeJsonl } from '../setup/tocsin.js';

const GUARD = 'qwen3-residual';

test('rows that the model has no number for get an error, and every other row its score', async () => {
  const dir = scratchDir();
  const bad = new Set(['row-3', 'row-150']);
  const rows = randomRows(200, 20).map(({ id, text }) => ({
    id,
    text: bad.has(id) ? `${text}${POISON}` : text,
  }));
  const corpus = await writeJsonl(join(dir, 'corpus.jsonl'), rows);
  const data = ['--data-dir', join(dir, 'postgres'), '--json'];
  const out = (name: string): string => join(dir, `${name}.jsonl`);
  const guard = goldenGuard(GUARD);
  const poisoned = [...guard.slice(0, 2), '--backbone', await poisonedBackbone(GUARD, join(dir, 'backbone'))];

  const sound = await tocsin(['score', corpus, ...guard, ...data, '-o', out('sound')]);
  expect(sound.exitCode).toBe(0);
  const first = await tocsin(['score', corpus, ...poisoned, ...data, '-o', out('first')]);
  expect(first.exitCode).toBe(2);
  expect(JSON.parse(String(first.stdout))).toMatchObject({
    rows: 200,
    scored: 198,
    fresh: 200,
    rejected: 0,
    failed: 2,
  });

  const expected = await readScores(out('sound'));
  for (const [i, line] of (await readScores(out('first'))).entries()) {
    if (bad.has(line.key)) expect(line).toEqual({ key: line.key, error: expect.stringMatching(/NaN/) });
    else expect(Math.abs((line.score ?? Number.NaN) - (expected[i]?.score ?? 0))).toBeLessThanOrEqual(1e-6);
  }

  // Errors are not cached: the next run tries exactly these rows again.
  const again = await tocsin(['score', corpus, ...poisoned, ...data, '-o', out('again')]);
  expect(again.exitCode).toBe(2);
  expect(JSON.parse(String(again.stdout))).toMatchObject({
    scored: 198,
    fresh: 2,
    fromCache: 198,
    failed: 2,
  });
});
