import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { Scorer } from './batches/scorer.js';
import { openGuard } from './compiled/open-guard.js';
import { CPU } from './devices/device.js';
import { prefixScorerOf } from './prefixes/prefix-scorer.js';
import { referenceScore, type Shape, writeRandomGuard } from './testing/random-guard.js';

const temp = tempDir();
const USUAL: Shape = {
  family: 'llama',
  hidden: 64,
  inner: 96,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  vocab: 50,
  bias: false,
  maxLength: 48,
};
const rowsFor = ({ vocab, maxLength }: Shape): Int32Array[] =>
  [1, 2, 17, 33, maxLength].map((length, row) =>
    Int32Array.from({ length }, (_, i) => (i * 7 + row * 3) % vocab),
  );

/** Valid config.json shapes at which a kernel could have a limit. */
const SHAPES: [string, Partial<Shape>][] = [
  ['heads of 16', {}],
  ['heads of 2', { headDim: 2 }],
  ['heads of 6', { headDim: 6, family: 'qwen3' }],
  ['heads of 8', { headDim: 8 }],
  ['heads of 20', { headDim: 20, bias: true }],
  ['heads of 24', { headDim: 24 }],
  ['heads of 24 with norms of their own', { headDim: 24, family: 'qwen3' }],
  ['heads of 48, one for all', { headDim: 48, kvHeads: 1 }],
  ['heads of 80', { headDim: 80, heads: 2, kvHeads: 2 }],
  ['heads of 264', { headDim: 264, heads: 2, kvHeads: 1, layers: 1 }],
  ['three queries to a key', { heads: 3, kvHeads: 1, headDim: 16 }],
  [
    'sizes that are no multiple of anything',
    { hidden: 51, inner: 77, heads: 3, kvHeads: 3, headDim: 10, vocab: 37 },
  ],
  ['a single head, a single token', { heads: 1, kvHeads: 1, maxLength: 33, vocab: 2 }],
];

test.each(SHAPES)(
  '%s: both graphs, and the one for WebGPU, give what the definition gives',
  async (_what, given) => {
    const dir = await mkdtemp(join(temp, 'x-'));
    const random = await writeRandomGuard(dir, { ...USUAL, ...given });
    const rows = rowsFor(random.shape);
    const expected = rows.map((row) => referenceScore(random, [...row]));
    // If all rows had the same score, the test would show nothing.
    expect(Math.max(...expected) - Math.min(...expected)).toBeGreaterThan(0.02);
    const distance = (scores: (number | undefined)[]): number =>
      Math.max(...scores.map((score, i) => Math.abs((score ?? Number.NaN) - (expected[i] ?? Number.NaN))));
    for (const device of ['cpu', 'webgpu']) {
      const guard = {
        ...(await openGuard(random.artifact, { device, cacheDir: join(dir, 'cache') })),
        device: CPU,
      };
      const [scorer, prefixes] = [await Scorer.start(guard), prefixScorerOf(guard)];
      try {
        const outcomes = await scorer.score(rows);
        expect(outcomes.map(({ error }) => error)).toEqual(rows.map(() => undefined));
        expect(distance(outcomes.map(({ score }) => score))).toBeLessThan(1e-4);
        const ends = [];
        for (const tokenIds of rows)
          ends.push((await prefixes.score({ tokenIds, stream: undefined })).at(-1));
        expect(distance(ends)).toBeLessThan(1e-4);
      } finally {
        await Promise.all([scorer.close(), prefixes.close()]);
      }
    }
  },
);

test.each([
  ['int8', 0.15],
  ['int4', 0.5],
] as const)('sizes that fill no block of integers: %s scores every row', async (precision, tolerance) => {
  const dir = await mkdtemp(join(temp, 'x-'));
  const random = await writeRandomGuard(dir, {
    ...USUAL,
    hidden: 51,
    inner: 77,
    heads: 3,
    kvHeads: 3,
    headDim: 10,
  });
  const guard = await openGuard(random.artifact, { precision, device: 'cpu', cacheDir: join(dir, 'cache') });
  const scorer = await Scorer.start(guard);
  try {
    const rows = rowsFor(random.shape);
    for (const [i, { score }] of (await scorer.score(rows)).entries()) {
      expect(Math.abs((score ?? Number.NaN) - referenceScore(random, [...(rows[i] ?? [])]))).toBeLessThan(
        tolerance,
      );
    }
  } finally {
    await scorer.close();
  }
});
