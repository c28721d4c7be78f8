import { join } from 'node:path';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Guard } from '../guard.js';
import type { StreamScore } from './prefix-stream.js';

const temp = tempDir();
const TEXT =
  'How do I bake bread at home?  Describe  it, step\n\n\n\nby step, with 2 naïve examples 😀 please. ';
let guard: Guard;

beforeAll(async () => {
  guard = await Guard.fromPretrained(goldenDirs('llama-residual').artifact, {
    cacheDir: join(temp, 'cache'),
  });
});
afterAll(() => guard.close());

/** A text in pieces of `size` UTF-16 units, which may split a surrogate pair. */
function* pieces(text: string, size: number): Generator<string> {
  for (let at = 0; at < text.length; at += size) yield text.slice(at, at + size);
}

describe('stream', () => {
  test.each([1, 2, 7, 1000])('chunks of %i: each score is that of the prefix from scratch', async (size) => {
    const stream = guard.stream();
    let prefix = '';
    for (const chunk of pieces(TEXT, size)) {
      prefix += chunk;
      const { score } = await stream.push(chunk);
      if (!prefix.isWellFormed()) continue;
      expect(score).toBeCloseTo((await guard.score({ text: prefix })).score, 5);
    }
    await stream.close();
  });

  test('a response is scored with its prompt before it', async () => {
    const stream = guard.stream({ prompt: 'How do I bake bread?' });
    await stream.push('With ');
    const { score } = await stream.push('flour.');
    const whole = await guard.score({ prompt: 'How do I bake bread?', response: 'With flour.' });
    expect(score).toBeCloseTo(whole.score, 5);
    await stream.close();
  });

  test('a text over the limit keeps the score of what fits, as a whole text does', async () => {
    const long = 'bread and butter '.repeat(200);
    const stream = guard.stream();
    const half = await stream.push(long.slice(0, long.length / 2));
    const end = await stream.push(long.slice(long.length / 2));
    expect(end).toMatchObject({ truncated: true, tokens: guard.info.maxLength, score: half.score });
    expect(end.score).toBeCloseTo((await guard.score({ text: long })).score, 5);
    await stream.close();
  });

  test('pushes that do not wait for one another are scored in their order', async () => {
    const stream = guard.stream();
    const scores = await Promise.all([...pieces(TEXT, 9)].map((chunk) => stream.push(chunk)));
    expect(scores.map(({ tokens }) => tokens)).toEqual(
      scores.map(({ tokens }) => tokens).toSorted((a, b) => a - b),
    );
    expect(scores.at(-1)?.score).toBeCloseTo((await guard.score({ text: TEXT })).score, 5);
    await stream.close();
  });

  test('onHarmful is told once, and nothing after it is scored or taken', async () => {
    const { tokens } = await guard.trace(TEXT);
    const threshold = Math.max(...tokens.slice(0, -1).map(({ score }) => score)) - 1e-3;
    const told: StreamScore[] = [];
    const stream = guard.stream({ threshold, onHarmful: (score) => told.push(score) });
    const taken: string[] = [];
    const source = (function* () {
      for (const chunk of pieces(TEXT, 3)) {
        taken.push(chunk);
        yield chunk;
      }
    })();
    const scores: StreamScore[] = [];
    for await (const score of stream.scores(source)) scores.push(score);
    expect(told).toEqual([scores.at(-1)]);
    expect(told[0]).toMatchObject({ isHarmful: true, ended: true, threshold });
    expect(scores.slice(0, -1).every(({ isHarmful }) => !isHarmful)).toBe(true);
    expect(taken.length).toBe(scores.length);
    expect(await stream.push('more')).toEqual(told[0]);
    expect(told).toHaveLength(1);
    await stream.close();
  });

  test('without onHarmful a harmful stream goes on', async () => {
    const stream = guard.stream({ threshold: 0 });
    expect(await stream.push('How')).toMatchObject({ isHarmful: true, ended: false });
    expect((await stream.push(' do I')).tokens).toBeGreaterThan(1);
    await stream.close();
  });

  test('a piece that is no text, and a push to a closed stream, are refused', async () => {
    const stream = guard.stream();
    // @ts-expect-error: a number is no chunk, and no message
    await expect(stream.push(7)).rejects.toThrow(
      'takes chunks of text (strings), not a value of type number',
    );
    expect((await stream.push('How')).tokens).toBeGreaterThan(0);
    await stream.close();
    await stream.close();
    await expect(stream.push('How')).rejects.toThrow('the stream is closed');
    expect(() => guard.stream({ threshold: 2 })).toThrow('threshold must be a number from 0 to 1');
  });
});

describe('trace', () => {
  test('offsets lead to the given text: nothing that is there is lost', async () => {
    const trace = await guard.trace(TEXT);
    expect(trace.text).toBe(TEXT);
    let last = 0;
    for (const { start, end } of trace.tokens) {
      expect(end).toBeGreaterThanOrEqual(start);
      expect(TEXT.slice(last, start)).toMatch(/^\s*$/);
      last = Math.max(last, end);
    }
    expect(TEXT.slice(last)).toBe(' ');
  });

  test('of a prompt and a response, in the text that joins them', async () => {
    const input = { prompt: 'How do I bake bread?', response: 'With flour.' };
    const trace = await guard.trace(input);
    expect(trace.text).toBe('How do I bake bread?\nWith flour.');
    expect(trace.score).toBeCloseTo((await guard.score(input)).score, 5);
  });

  test('a text over the limit says how many tokens are left out', async () => {
    const trace = await guard.trace('bread and butter '.repeat(200));
    expect(trace.tokens).toHaveLength(guard.info.maxLength);
    expect(trace.omittedTokens).toBeGreaterThan(0);
  });
});
