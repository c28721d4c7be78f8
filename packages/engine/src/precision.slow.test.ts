import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTENT_GUARDS, type GoldenGuard, goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { describe, expect, test } from 'vitest';
import { Scorer } from './batches/scorer.js';
import { type OpenGuardOptions, openGuard } from './compiled/open-guard.js';
import { CPU } from './devices/device.js';
import { prefixScorerOf } from './prefixes/prefix-scorer.js';

const temp = tempDir();

/** Distances to the reference's scores, for a guard built for some device and run on the CPU. */
async function distances(
  name: GoldenGuard,
  options: OpenGuardOptions,
): Promise<{ max: number; mean: number }> {
  const cases = goldenCases(name);
  const rows = cases.map(({ tokenIds }) => Int32Array.from(tokenIds));
  const guard = await openGuard(goldenDirs(name).artifact, {
    ...options,
    cacheDir: await mkdtemp(join(temp, 'x-')),
  });
  const here = { ...guard, device: CPU };
  const [scorer, prefixes] = [await Scorer.start(here), prefixScorerOf(here)];
  try {
    const outcomes = await scorer.score(rows);
    const all = outcomes.map(({ score }, i) =>
      Math.abs((score ?? Number.NaN) - (cases[i]?.score ?? Number.NaN)),
    );
    // Both graphs have the same blocks: the last prefix of a row has the row's score.
    for (const [i, tokenIds] of rows.slice(0, 4).entries()) {
      const scores = await prefixes.score({ tokenIds, stream: undefined });
      expect(Math.abs((scores.at(-1) ?? Number.NaN) - (outcomes[i]?.score ?? Number.NaN))).toBeLessThan(
        ARITHMETIC_NOISE,
      );
    }
    return { max: Math.max(...all), mean: all.reduce((sum, one) => sum + one, 0) / all.length };
  } finally {
    await Promise.all([scorer.close(), prefixes.close()]);
  }
}

/** Half precision between operators: the two attention graphs round in different places. */
const ARITHMETIC_NOISE = 0.02;

/**
 * Measured distances times two to three. The golden backbones are random and small, so rounding affects them far more
 * than trained ones (see docs/guards.md).
 */
describe.each(CONTENT_GUARDS)('%s', (name) => {
  test.each([
    // Their weights are small and already of a half type: nothing is rounded.
    ['float16', 1e-4, 1e-4],
    ['bfloat16', 1e-4, 1e-4],
    ['int8', 0.1, 0.02],
    ['int4', 0.8, 0.25],
  ] as const)('%s on the CPU', async (precision, max, mean) => {
    const measured = await distances(name, { precision, device: 'cpu' });
    expect(measured.max).toBeLessThanOrEqual(max);
    expect(measured.mean).toBeLessThanOrEqual(mean);
  });

  test('the CUDA graph in float16, run on the CPU, is within float16 noise', async () => {
    const measured = await distances(name, { precision: 'float16', device: 'cuda' });
    expect(measured.max).toBeLessThanOrEqual(0.03);
    expect(measured.mean).toBeLessThanOrEqual(0.005);
  });

  test('the WebGPU graph in float32, run on the CPU', async () => {
    const measured = await distances(name, { precision: 'float32', device: 'webgpu' });
    expect(measured.max).toBeLessThanOrEqual(1e-4);
  });

  test.each(['bfloat16', 'int8', 'int4'])(
    'the CUDA graph in %s loads as far as a CPU can: all that is missing are kernels for bfloat16',
    async (precision) => {
      const guard = await openGuard(goldenDirs(name).artifact, {
        precision,
        device: 'cuda',
        cacheDir: await mkdtemp(join(temp, 'x-')),
      });
      // onnxruntime looks up kernels after checking the graph's operators, attributes, types and shapes.
      const expected =
        /^the model did not load: Could not find an implementation for (FusedMatMul|MatMulNBits)\(1\)/;
      await expect(Scorer.start({ ...guard, device: CPU })).rejects.toThrow(expected);
      const prefixes = prefixScorerOf({ ...guard, device: CPU });
      await expect(prefixes.start()).rejects.toThrow(expected);
      await prefixes.close();
    },
  );
});
