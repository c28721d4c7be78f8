import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONTENT_GUARDS, goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { Scorer } from './batches/scorer.js';
import { openGuard } from './compiled/open-guard.js';
import { CPU } from './devices/device.js';

const temp = tempDir();
const GOLDEN = new URL('../golden/int8.json', import.meta.url);

/**
 * Scores in 8-bit arithmetic are the same on every CPU, except where float32 noise moves a value from one step of its
 * rounding to the next. The golden scores were computed with AMX; a kernel that saturates would be off by 0.1 and more.
 */
const NOISE = 0.01;

test.each(CONTENT_GUARDS)(
  '%s: int8 scores are the golden ones on this CPU too, with signed and unsigned weights',
  async (name) => {
    const golden = (JSON.parse(await readFile(GOLDEN, 'utf8')) as Record<string, number[]>)[name] ?? [];
    const rows = goldenCases(name).map(({ tokenIds }) => Int32Array.from(tokenIds));
    const cacheDir = await mkdtemp(join(temp, 'x-'));
    const guard = await openGuard(goldenDirs(name).artifact, { precision: 'int8', device: 'cpu', cacheDir });
    const unsigned = guard.compiled.modelFile.replace('.onnx', '.unsigned.onnx');
    for (const modelFile of [guard.compiled.modelFile, unsigned]) {
      const scorer = await Scorer.start({
        ...guard,
        device: CPU,
        compiled: { ...guard.compiled, modelFile },
      });
      const outcomes = await scorer.score(rows);
      await scorer.close();
      expect(outcomes).toHaveLength(golden.length);
      for (const [i, { score }] of outcomes.entries())
        expect(Math.abs((score ?? Number.NaN) - (golden[i] ?? Number.NaN))).toBeLessThan(NOISE);
    }
  },
);
