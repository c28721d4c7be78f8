import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { type OpenGuard, openGuard } from '../compiled/open-guard.js';
import { writeRandomGuard } from '../testing/random-guard.js';
import { prefixesOfFaulty, startFaulty } from '../testing/stand-in.js';

const temp = tempDir();
let guard: OpenGuard;

beforeAll(async () => {
  const options = { device: 'webgpu', cacheDir: join(temp, 'cache') };
  guard = await openGuard(goldenDirs('llama-residual').artifact, options);
});
const verdictFile = (): string => join(guard.compiled.dir, 'check-webgpu.json');
beforeEach(() => rm(verdictFile(), { force: true }));

test('a device that computes what a CPU does is used, and its verdict is kept with what it holds for', async () => {
  const scorer = await startFaulty(guard, {});
  try {
    expect(scorer.verdict?.score).toBeLessThan(1e-5);
    expect(scorer.verdict?.features).toBeLessThan(1e-5);
    const cases = goldenCases('llama-residual').slice(0, 5);
    const outcomes = await scorer.score(cases.map(({ tokenIds }) => Int32Array.from(tokenIds)));
    for (const [i, { score }] of outcomes.entries())
      expect(score).toBeCloseTo(cases[i]?.score ?? Number.NaN, 4);
  } finally {
    await scorer.close();
  }
  expect(JSON.parse(await readFile(verdictFile(), 'utf8'))).toEqual({
    device: expect.stringContaining('graphics') as string,
    driver: expect.any(String) as string,
    onnxruntime: expect.stringMatching(/^\d+\.\d+/) as string,
    score: scorer.verdict?.score,
    features: scorer.verdict?.features,
  });
});

test.each(['model.layers.0.mlp.down_proj.weight', 'model.layers.1.self_attn.v_proj.weight'])(
  'a device on which the first row of %s is another is refused, with both numbers, each time',
  async (corrupt) => {
    for (let start = 0; start < 2; start++) {
      const starting = startFaulty(guard, { corrupt });
      await expect(starting).rejects.toBeInstanceOf(UserError);
      await expect(starting).rejects.toThrow(
        /^device webgpu computes wrong numbers \(.*\): a row of \d+ tokens?, alone, scores 0\.\d+ there and 0\.\d+ on the CPU, and what the head reads differs by [\d.]+ %/,
      );
    }
    expect(await readdir(guard.compiled.dir)).not.toContain('check-webgpu.json');
  },
);

test('a verdict holds for its driver alone', async () => {
  await (await startFaulty(guard, {})).close();
  // The stored result is used: nothing is computed, so the fault is not found.
  const corrupt = 'model.layers.0.mlp.down_proj.weight';
  await (await startFaulty(guard, { corrupt })).close();
  const verdict = JSON.parse(await readFile(verdictFile(), 'utf8')) as object;
  for (const change of [{ driver: 'another' }, { onnxruntime: '1.0.0' }, { device: 'another' }]) {
    await writeFile(verdictFile(), JSON.stringify({ ...verdict, ...change }));
    await expect(startFaulty(guard, { corrupt })).rejects.toThrow('computes wrong numbers');
  }
});

test('the graph of streams and traces is checked by itself', async () => {
  const rows = goldenCases('llama-residual').slice(0, 3);
  const right = prefixesOfFaulty(guard, {});
  for (const { tokenIds, score } of rows) {
    const scores = await right.score({ tokenIds: Int32Array.from(tokenIds), stream: undefined });
    expect(scores.at(-1)).toBeCloseTo(score, 4);
  }
  await right.close();
  const file = join(guard.compiled.dir, 'check-prefixes-webgpu.json');
  expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ score: expect.any(Number) as number });
  await rm(file);
  const wrong = prefixesOfFaulty(guard, { corrupt: 'model.layers.1.self_attn.v_proj.weight' });
  await expect(wrong.start()).rejects.toThrow('computes wrong numbers');
  await wrong.close();
});

test('a guard whose head is sure of everything still shows a device that is wrong', async () => {
  const shape = { family: 'llama', hidden: 32, inner: 48, layers: 2, heads: 2, kvHeads: 1 } as const;
  const sure = await writeRandomGuard(join(temp, 'sure'), {
    ...shape,
    headDim: 16,
    vocab: 40,
    bias: false,
    maxLength: 40,
    harmlessBy: 60,
  });
  const opened = await openGuard(sure.artifact, { device: 'webgpu', cacheDir: join(temp, 'cache') });
  await expect(startFaulty(opened, { corrupt: 'model.layers.1.mlp.up_proj.weight' })).rejects.toThrow(
    /scores \S+e-\d+ there and \S+e-\d+ on the CPU/,
  );
  await (await startFaulty(opened, {})).close();
});
