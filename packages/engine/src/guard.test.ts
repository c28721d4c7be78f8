import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import type { ContentInput } from '@tocsin/siren';
import { goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Guard } from './guard.js';

const temp = tempDir();
const { artifact, backbone } = goldenDirs('llama31-ropescaled');
const options = { cacheDir: join(temp, 'cache'), threads: 1 };
const cases = goldenCases('llama31-ropescaled');
let guard: Guard;

beforeAll(async () => {
  guard = await Guard.fromPretrained(artifact, options);
});
afterAll(() => guard.close());

test('info says which guard it is', () => {
  expect(guard.info).toEqual({
    ref: artifact,
    device: 'cpu',
    task: 'content',
    fingerprint: expect.stringMatching(/^[0-9a-f]{64}$/),
    family: 'llama',
    modelId: 'llama31-ropescaled/backbone',
    revision: undefined,
    layers: [1, 2],
    maxLength: 128,
    defaultThreshold: 0.35,
    precision: 'float32',
  });
});

test("the artifact's threshold counts unless another is given, and harmful is a score that reaches it", async () => {
  const input = { text: 'What is the capital of France?' };
  const { score, threshold, isHarmful } = await guard.score(input);
  expect(threshold).toBe(0.35);
  expect(isHarmful).toBe(score >= 0.35);
  expect(await guard.score(input, { threshold: score })).toEqual({
    score,
    isHarmful: true,
    threshold: score,
  });
  const above = Math.min(1, score + 1e-9);
  expect(await guard.score(input, { threshold: above })).toEqual({
    score,
    isHarmful: false,
    threshold: above,
  });
  expect(await guard.score(input, { threshold: 0 })).toMatchObject({ isHarmful: true, threshold: 0 });
  expect(await guard.score(input, { threshold: 1 })).toMatchObject({ isHarmful: false, threshold: 1 });
});

test.each([-0.1, 1.1, Number.NaN, '0.5'])('a threshold of %s is refused', async (threshold) => {
  const scoring = guard.score({ text: 'x' }, { threshold: threshold as number });
  await expect(scoring).rejects.toBeInstanceOf(UserError);
  await expect(scoring).rejects.toThrow(`threshold must be a number from 0 to 1, got ${threshold}`);
});

test.each<[unknown, string]>([
  [{ text: 'a', prompt: 'b' }, 'text and prompt/response were given together'],
  [{}, 'nothing to score'],
  [{ prompt: null }, 'nothing to score'],
  [{ text: 3 }, 'text must be a string'],
])('%j is refused', async (input, message) => {
  const scoring = guard.score(input as ContentInput);
  await expect(scoring).rejects.toBeInstanceOf(UserError);
  await expect(scoring).rejects.toThrow(message);
});

test('of many inputs the one that cannot be scored is named', async () => {
  const scoring = guard.scoreBatch(['a', { text: 'b' }, {} as ContentInput]);
  await expect(scoring).rejects.toBeInstanceOf(UserError);
  await expect(scoring).rejects.toThrow('input 2: nothing to score');
});

test('results come in the order of the inputs, doubles and plain strings among them', async () => {
  const inputs = [...cases, ...cases.toReversed()].map(({ input }) => input.text ?? input);
  const results = await guard.scoreBatch(inputs);
  expect(results).toHaveLength(inputs.length);
  for (const [i, { score }] of [...cases, ...cases.toReversed()].entries()) {
    expect(results[i]?.score).toBeCloseTo(score, 4);
  }
  expect(await guard.scoreBatch([])).toEqual([]);
});

test('calls may overlap', async () => {
  const scores = await Promise.all(cases.map(({ input }) => guard.score(input)));
  for (const [i, { score }] of scores.entries()) expect(score).toBeCloseTo(cases[i]?.score ?? Number.NaN, 4);
});

test('close ends its process, and nothing is scored afterwards', async () => {
  const children = () =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;
  const before = children();
  const second = await Guard.fromPretrained(join(artifact, 'siren_config.json'), { ...options, backbone });
  expect(children()).toBe(before + 1);
  await second.close();
  await expect.poll(children).toBe(before);
  await expect(second.score({ text: 'x' })).rejects.toThrow('the engine is closed');
});
