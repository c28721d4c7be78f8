import { join } from 'node:path';
import { goldenDirs, goldenTrajectories, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Guard } from './guard.js';
import type { ChatMessage } from './prefixes/prefix-stream.js';

/** Float32 tolerance (invariant 6). */
const TOLERANCE = 1e-4;
const temp = tempDir();
const cases = goldenTrajectories();
let guard: Guard;

beforeAll(async () => {
  const cacheDir = join(temp, 'cache');
  guard = await Guard.fromPretrained(goldenDirs('qwen3-agent').artifact, { cacheDir, load: 'prefixes' });
});
afterAll(() => guard.close());

test('turn by turn, each score is that of the conversation so far from scratch', async () => {
  for (const { input, score } of cases) {
    const messages = input.messages as readonly ChatMessage[];
    const stream = guard.stream({ tools: input.tools });
    let last = Number.NaN;
    for (const [i, message] of messages.entries()) {
      last = (await stream.push(message)).score;
      const scratch = await guard.score({ messages: messages.slice(0, i + 1), tools: input.tools });
      expect(last).toBeCloseTo(scratch.score, 4);
    }
    expect(Math.abs(last - score)).toBeLessThanOrEqual(TOLERANCE);
    await stream.close();
  }
});

test('several messages may come at once, and one that is refused is not kept', async () => {
  const messages: ChatMessage[] = [
    { role: 'user', content: 'Water the plants.' },
    { role: 'assistant', content: 'Done.' },
  ];
  const stream = guard.stream();
  await expect(stream.push({ role: 'gardener', content: 'Hello' })).rejects.toThrow(/role/);
  const { score } = await stream.push(messages);
  expect(score).toBeCloseTo((await guard.score({ messages })).score, 5);
  await stream.close();
});

test('a trace has the tokens that the model sees, and ends with the score', async () => {
  for (const { input, tokenIds, rendered, score } of cases) {
    const trace = await guard.trace(input);
    expect(trace.text).toBe(rendered);
    expect(trace.tokens.map(({ tokenId }) => tokenId)).toEqual(tokenIds);
    expect(Math.abs(trace.score - score)).toBeLessThanOrEqual(TOLERANCE);
    expect(trace.tokens.at(-1)?.end).toBe(rendered.length);
  }
});

test('a text, a prompt and a chunk are refused: they would get a number without a meaning', async () => {
  await expect(guard.trace('Water the plants.')).rejects.toThrow('a trajectory guard scores messages');
  expect(() => guard.stream({ prompt: 'Water the plants.' })).toThrow(
    'a prompt was given to a trajectory guard',
  );
  const stream = guard.stream();
  await expect(stream.push('Water')).rejects.toThrow(
    "a trajectory guard's stream takes messages, not a text",
  );
  await stream.close();
});
