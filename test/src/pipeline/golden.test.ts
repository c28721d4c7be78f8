import { join } from 'node:path';
import { CONTENT_GUARDS, goldenCases } from '@tocsin/siren/testing';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, readScores, tocsin, writeJsonl } from '../setup/tocsin.js';

/** Invariant 6: float32 tolerance against the reference runtime. */
const TOLERANCE = 1e-4;

let dir: string;
beforeAll(() => {
  dir = scratchDir();
});

test.each(CONTENT_GUARDS)(
  'every case of %s goes through the whole pipeline to the reference score',
  async (name) => {
    const cases = goldenCases(name);
    const corpus = await writeJsonl(
      join(dir, `${name}.jsonl`),
      cases.map(({ input }, i) => ({ id: `case-${i}`, ...input })),
    );
    const out = join(dir, `${name}-scores.jsonl`);
    const ended = await tocsin([
      'score',
      corpus,
      ...goldenGuard(name),
      '-o',
      out,
      '--data-dir',
      join(dir, 'postgres'),
    ]);
    expect(ended).toMatchObject({ exitCode: 0 });

    const scores = await readScores(out);
    expect(scores.map(({ key }) => key)).toEqual(cases.map((_, i) => `case-${i}`));
    const far = scores.filter(
      ({ score = Number.NaN }, i) => !(Math.abs(score - (cases[i]?.score ?? 0)) <= TOLERANCE),
    );
    expect(far).toEqual([]);
    expect(scores.map(({ tokens }) => tokens)).toEqual(cases.map(({ tokenIds }) => tokenIds.length));
    for (const { score = 0, harmful, threshold = 0 } of scores) expect(harmful).toBe(score >= threshold);
  },
);
