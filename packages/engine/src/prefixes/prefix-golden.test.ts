import { join } from 'node:path';
import { CONTENT_GUARDS, goldenCases, goldenDirs, goldenStream, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Scorer } from '../batches/scorer.js';
import { openGuard } from '../compiled/open-guard.js';
import { Guard } from '../guard.js';

/** Float32 tolerance (invariant 6). */
const TOLERANCE = 1e-4;
const temp = tempDir();

describe.each(CONTENT_GUARDS)('%s', (name) => {
  const stream = goldenStream(name);
  let guard: Guard;

  beforeAll(async () => {
    const cacheDir = join(temp, name);
    guard = await Guard.fromPretrained(goldenDirs(name).artifact, { cacheDir, load: 'prefixes' });
  });
  afterAll(() => guard.close());

  test('every prefix of the golden stream, pushed on', async () => {
    const pushed = guard.stream();
    let before = '';
    for (const { prefix, score } of stream) {
      expect(prefix.startsWith(before)).toBe(true);
      const result = await pushed.push(prefix.slice(before.length));
      expect(Math.abs(result.score - score), prefix).toBeLessThanOrEqual(TOLERANCE);
      before = prefix;
    }
    await pushed.close();
  });

  test('the trace of every case has its tokens, and ends with its score', async () => {
    const cases = goldenCases(name);
    const traces = await Promise.all(cases.map(({ input }) => guard.trace(input)));
    for (const [i, { score, tokenIds, cleaned }] of cases.entries()) {
      const trace = traces[i];
      expect(Math.abs((trace?.score ?? Number.NaN) - score), cleaned).toBeLessThanOrEqual(TOLERANCE);
      expect(trace?.tokens.map(({ tokenId }) => tokenId)).toEqual(tokenIds);
      expect(trace?.tokens.at(-1)?.score).toBe(trace?.score);
    }
  });

  test('the score after a token is what the batch graph gives for the tokens up to it', async () => {
    const open = await openGuard(goldenDirs(name).artifact, { cacheDir: join(temp, name) });
    const scorer = await Scorer.start(open);
    try {
      const { tokens } = await guard.trace(stream.at(-1)?.prefix ?? '');
      const ids = Int32Array.from(tokens, ({ tokenId }) => tokenId);
      const outcomes = await scorer.score(tokens.map((_, i) => ids.subarray(0, i + 1)));
      for (const [i, { score }] of tokens.entries()) expect(score).toBeCloseTo(outcomes[i]?.score ?? -1, 4);
    } finally {
      await scorer.close();
    }
  });
});
