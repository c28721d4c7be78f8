import { join } from 'node:path';
import { goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGuard } from '../compiled/open-guard.js';
import { type PrefixScorer, prefixScorerOf } from './prefix-scorer.js';

const temp = tempDir();
const cases = goldenCases('qwen3-residual');
const restarts: string[] = [];
let scorer: PrefixScorer;

beforeAll(async () => {
  const guard = await openGuard(goldenDirs('qwen3-residual').artifact, { cacheDir: join(temp, 'cache') });
  scorer = prefixScorerOf(guard, { threads: 1, onRestart: (reason) => restarts.push(reason) });
});
afterAll(() => scorer.close());

const idsOf = (i: number): Int32Array => Int32Array.from(cases[i % cases.length]?.tokenIds ?? []);
const alone = (tokenIds: Int32Array): Promise<Float32Array> => scorer.score({ tokenIds, stream: undefined });
function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual).toHaveLength(expected.length);
  for (const [i, score] of actual.entries()) expect(score).toBeCloseTo(expected[i] ?? Number.NaN, 5);
}

test('many streams of different lengths at once, each with chunks of its own, are what each is alone', async () => {
  const streams = cases.map((_, i) => ({ stream: scorer.newStream(), ids: idsOf(i), chunk: 1 + (i % 7) }));
  await Promise.all(
    streams.map(async ({ stream, ids, chunk }) => {
      for (let end = chunk; ; end += chunk) {
        const scores = await scorer.score({ tokenIds: ids.subarray(0, end), stream });
        if (end >= ids.length) return expectClose(scores, await alone(ids));
      }
    }),
  );
});

test('a row that changes, shrinks or starts over goes on from what it shares', async () => {
  const stream = scorer.newStream();
  const ids = idsOf(cases.findIndex(({ tokenIds }) => tokenIds.length > 8));
  const changed = ids.slice();
  changed[5] = (changed[5] ?? 0) + 1;
  for (const row of [ids, changed, ids.subarray(0, 3), ids, ids, changed.subarray(1)]) {
    expectClose(await scorer.score({ tokenIds: row, stream }), await alone(row));
  }
});

test('a killed engine process costs a stream its memory, not its scores', async () => {
  const stream = scorer.newStream();
  const ids = idsOf(3);
  const half = ids.subarray(0, Math.ceil(ids.length / 2));
  await scorer.score({ tokenIds: half, stream });
  process.kill((await scorer.enginePid()) ?? 0, 'SIGKILL');
  const scores = await scorer.score({ tokenIds: ids, stream });
  expect(restarts).toHaveLength(1);
  expectClose(scores, await alone(ids));
});

test('a row that cannot be scored fails alone', async () => {
  const bad = Int32Array.of(1_000_000);
  const [first, failed, last] = await Promise.allSettled([alone(idsOf(0)), alone(bad), alone(idsOf(1))]);
  expect(failed?.status).toBe('rejected');
  expect([first?.status, last?.status]).toEqual(['fulfilled', 'fulfilled']);
});

test('a stream that is over leaves nothing behind that another could meet', async () => {
  const stream = scorer.newStream();
  await scorer.score({ tokenIds: idsOf(0), stream });
  scorer.endStream(stream);
  expectClose(await scorer.score({ tokenIds: idsOf(1), stream }), await alone(idsOf(1)));
});
