import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Guard } from '@tocsin/engine';
import { cacheDirectory } from '@tocsin/models';
import type { ContentInput } from '@tocsin/siren';
import { expect, test } from 'vitest';
import { ROOT } from '../setup/tocsin.js';

const MINUTE = 60_000;

/**
 * A trained backbone, unlike the golden ones. It is distributed as Q4_1, whose blocks int4 keeps unchanged: only the
 * rounding of the embedding remains. The bounds are measured values times two to three.
 */
test.each([
  ['int4', 0.005, 0.0005],
  ['float16', 0.01, 0.001],
  ['bfloat16', 0.02, 0.003],
  ['int8', 0.3, 0.06],
] as const)('the starter guard in %s', { timeout: 10 * MINUTE }, async (precision, max, mean) => {
  const { cases } = JSON.parse(await readFile(join(ROOT, 'test/fixtures/starter/golden.json'), 'utf8')) as {
    cases: (ContentInput & { score: number })[];
  };
  const guard = await Guard.fromPretrained('starter', {
    precision,
    device: 'cpu',
    cacheDir: cacheDirectory(),
  });
  try {
    const results = await guard.scoreBatch(
      cases.map(({ text, prompt, response }) => (text === undefined ? { prompt, response } : { text })),
    );
    const distances = results.map(({ score }, i) => Math.abs(score - (cases[i]?.score ?? Number.NaN)));
    expect(Math.max(...distances)).toBeLessThanOrEqual(max);
    expect(distances.reduce((sum, one) => sum + one, 0) / distances.length).toBeLessThanOrEqual(mean);
  } finally {
    await guard.close();
  }
});
