import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenDirs, goldenTrajectories, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Scorer } from './batches/scorer.js';
import { openGuard } from './compiled/open-guard.js';
import { Guard } from './guard.js';
import { Preparation } from './items/preparation.js';

/** Float32 tolerance, whatever the other items of the batch (invariant 6). */
const TOLERANCE = 1e-4;
/** With these costs all rows share one pass, whatever the padding. */
const TOGETHER = { budgetTokens: 1_000_000, overheadMs: 1e9, tokenMs: 0, cellMs: 0 };

const { artifact, backbone } = goldenDirs('qwen3-agent');
const cases = goldenTrajectories();
const inputs = cases.map(({ input }) => input);
const temp = tempDir();
const cacheDir = join(temp, 'cache');

function expectScores(scores: (number | undefined)[], expected: number[]): void {
  expect(scores).toHaveLength(expected.length);
  for (const [i, score = Number.NaN] of scores.entries()) {
    expect(Math.abs(score - (expected[i] ?? Number.NaN)), `score ${i}`).toBeLessThanOrEqual(TOLERANCE);
  }
}

describe('qwen3-agent', () => {
  let guard: Guard;
  beforeAll(async () => {
    guard = await Guard.fromPretrained(artifact, { cacheDir });
  });
  afterAll(() => guard.close());

  test('every trajectory alone', async () => {
    for (const { input, score } of cases) expectScores([(await guard.score(input)).score], [score]);
  });

  test('given as JSON text', async () => {
    for (const { input, score } of cases) {
      const [messages, tools] = [JSON.stringify(input.messages), JSON.stringify(input.tools)];
      expectScores([(await guard.score({ messages, tools })).score], [score]);
    }
  });

  test('all in a batch, in both orders', async () => {
    const expected = cases.map(({ batchScore }) => batchScore);
    const forth = await guard.scoreBatch(inputs);
    expectScores(
      forth.map(({ score }) => score),
      expected,
    );
    const back = await guard.scoreBatch(inputs.toReversed());
    expectScores(
      back.map(({ score }) => score),
      expected.toReversed(),
    );
  });

  test('rendered and tokenized as by the reference, and all in one forward pass', async () => {
    const open = await openGuard(artifact, { cacheDir });
    const preparation = await Preparation.open(open);
    expect(inputs.map((input) => preparation.textOf(input))).toEqual(cases.map(({ rendered }) => rendered));
    const tokenized = await preparation.tokenize(cases.map(({ rendered }) => rendered));
    expect(tokenized.map(({ tokenIds }) => [...tokenIds])).toEqual(cases.map(({ tokenIds }) => tokenIds));
    // Two of the four exceed the guard's maximum length.
    expect(tokenized.map(({ truncated }) => truncated)).toEqual([true, false, false, true]);

    const scorer = await Scorer.start(open, { costModel: TOGETHER });
    try {
      const outcomes = await scorer.score(tokenized.map(({ tokenIds }) => tokenIds));
      expect(scorer.counts.passes).toBe(1);
      expectScores(
        outcomes.map(({ score }) => score),
        cases.map(({ batchScore }) => batchScore),
      );
    } finally {
      await scorer.close();
    }
  });

  test('info and the graph: four blocks of six', async () => {
    expect(guard.info).toMatchObject({
      task: 'trajectory',
      layers: [3],
      maxLength: 256,
      defaultThreshold: 0.5,
    });
    const { compiled } = await openGuard(artifact, { cacheDir });
    const graph = (await readFile(compiled.modelFile)).toString('latin1');
    expect(graph.match(/n\d+_QuickGelu/g)).toHaveLength(4);
    expect([3, 4, 5].map((block) => graph.includes(`model.layers.${block}.`))).toEqual([true, false, false]);
    expect(graph.includes('model.norm.weight')).toBe(false);
  });
});

/** llm-siren 0.2.0's scores of the golden trajectories when its readout takes the state after this many blocks. */
test.each([
  [1, [0.3444274067878723, 0.3782142698764801, 0.46936503052711487, 0.36189332604408264]],
  // All blocks: the raw residual stream, without the final norm.
  [6, [0.2730726897716522, 0.019570549950003624, 0.3487025201320648, 0.636913001537323]],
])('read after %i of the six blocks', async (blocks, expected) => {
  const changed = await mkdtemp(join(temp, 'artifact-'));
  await cp(artifact, changed, { recursive: true });
  const file = join(changed, 'siren_config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as { siren_module: object };
  const siren_module = { ...config.siren_module, hidden_state_index: blocks, early_exit_blocks: blocks };
  await writeFile(file, JSON.stringify({ ...config, siren_module }));
  const guard = await Guard.fromPretrained(changed, { cacheDir, backbone });
  try {
    const results = await guard.scoreBatch(inputs);
    expectScores(
      results.map(({ score }) => score),
      expected,
    );
  } finally {
    await guard.close();
  }
});
