import { join } from 'node:path';
import { CONTENT_GUARDS, type GoldenGuard, goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Scorer } from './batches/scorer.js';
import { openGuard } from './compiled/open-guard.js';
import { Guard } from './guard.js';
import { Preparation } from './items/preparation.js';

/** Float32 tolerance, whatever the other rows of the batch (invariant 6). */
const TOLERANCE = 1e-4;
/** With these costs all rows share one pass, whatever the padding. */
const TOGETHER = { budgetTokens: 1_000_000, overheadMs: 1e9, tokenMs: 0, cellMs: 0 };

const temp = tempDir();

describe.each(CONTENT_GUARDS)('%s', (name) => {
  const cases = goldenCases(name);
  const inputs = cases.map(({ input }) => input);
  let guard: Guard;

  beforeAll(async () => {
    guard = await Guard.fromPretrained(goldenDirs(name).artifact, { cacheDir: join(temp, name) });
  });
  afterAll(() => guard.close());

  test('every case alone', async () => {
    for (const [i, input] of inputs.entries()) {
      expectScores([(await guard.score(input)).score], name, [i]);
    }
  });

  test('every case with its neighbour', async () => {
    for (let i = 0; i + 1 < inputs.length; i++) {
      const results = await guard.scoreBatch(inputs.slice(i, i + 2));
      expectScores(
        results.map(({ score }) => score),
        name,
        [i, i + 1],
      );
    }
  });

  test('all cases at once, in both orders', async () => {
    const indices = inputs.map((_, i) => i);
    const forth = await guard.scoreBatch(inputs);
    expectScores(
      forth.map(({ score }) => score),
      name,
      indices,
    );
    const back = await guard.scoreBatch(inputs.toReversed());
    expectScores(
      back.map(({ score }) => score),
      name,
      indices.toReversed(),
    );
  });

  test('in one pass with its neighbour, and all in one pass', async () => {
    const open = await openGuard(goldenDirs(name).artifact, { cacheDir: join(temp, name) });
    const preparation = await Preparation.open(open);
    const contents = await preparation.contentsOf(inputs);
    const rows = contents.map((content) => {
      if (content instanceof Error) throw content;
      return content.tokenIds;
    });
    expect(rows.map((ids) => [...ids])).toEqual(cases.map(({ tokenIds }) => tokenIds));
    const scorer = await Scorer.start(open, { costModel: TOGETHER });
    try {
      for (let i = 0; i + 1 < rows.length; i++) {
        const outcomes = await scorer.score(rows.slice(i, i + 2));
        expectScores(
          outcomes.map(({ score }) => score),
          name,
          [i, i + 1],
        );
      }
      expect(scorer.counts.passes).toBe(rows.length - 1);
      const outcomes = await scorer.score(rows);
      expect(scorer.counts.passes).toBe(rows.length);
      expectScores(
        outcomes.map(({ score }) => score),
        name,
        rows.map((_, i) => i),
      );
    } finally {
      await scorer.close();
    }
  });
});

/** Each score is the reference's for the case with that index. */
function expectScores(scores: (number | undefined)[], name: GoldenGuard, indices: number[]): void {
  const reference = goldenCases(name);
  expect(scores).toHaveLength(indices.length);
  for (const [i, index] of indices.entries()) {
    const distance = Math.abs((scores[i] ?? Number.NaN) - (reference[index]?.score ?? Number.NaN));
    expect(distance, `case ${index}`).toBeLessThanOrEqual(TOLERANCE);
  }
}
