import { UserError } from '@tocsin/core';
import { contentHash } from '@tocsin/siren';
import { goldenCases, goldenDirs, goldenTrajectories, tempDir } from '@tocsin/siren/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { openGuard } from '../compiled/open-guard.js';
import { type Item, Preparation } from './preparation.js';

const cacheDir = tempDir();
const MESSAGES = [{ role: 'user', content: 'Bake bread.' }];
const open = async (name: 'llama-residual' | 'qwen3-agent'): Promise<Preparation> =>
  Preparation.open(await openGuard(goldenDirs(name).artifact, { cacheDir }));

describe('a content guard', () => {
  let preparation: Preparation;
  beforeAll(async () => {
    preparation = await open('llama-residual');
  });

  test('cleans and tokenizes texts, and pairs', async () => {
    const cases = goldenCases('llama-residual');
    const items = cases.map(({ input }) => input);
    expect(items.map((item) => preparation.textOf(item))).toEqual(cases.map(({ cleaned }) => cleaned));
    const contents = await preparation.contentsOf(items);
    expect(contents).toEqual(
      cases.map(({ tokenIds }) => ({
        tokenIds: Int32Array.from(tokenIds),
        hash: contentHash(Int32Array.from(tokenIds)),
        truncated: expect.any(Boolean),
      })),
    );
  });

  test.each<[unknown, string]>([
    [{ messages: MESSAGES }, 'a content guard scores texts, not trajectories: messages were given'],
    [{ messages: MESSAGES, text: 'x' }, 'a content guard scores texts, not trajectories'],
    [{}, 'nothing to score'],
    [5, 'expected an object with text'],
    [null, 'expected an object with text'],
  ])('refuses %j', async (item, message) => {
    await expectRefusal(preparation, item, message);
  });

  test('messages that are null are none', () => {
    expect(preparation.textOf({ text: 'x', messages: null } as unknown as Item)).toBe('x');
  });
});

describe('a trajectory guard', () => {
  let preparation: Preparation;
  beforeAll(async () => {
    preparation = await open('qwen3-agent');
  });

  test.each<[unknown, string]>([
    ['Bake bread.', 'a trajectory guard scores messages (and tools), not a text'],
    [{ text: 'Bake bread.' }, 'a trajectory guard scores messages (and tools), not a text'],
    [{ prompt: 'a', response: 'b' }, 'a trajectory guard scores messages (and tools), not a text'],
    [{ messages: MESSAGES, response: 'b' }, 'messages and a text were given together'],
    [{ messages: null }, 'a trajectory guard scores messages'],
    [{ messages: [] }, 'the trajectory is empty'],
    [{ messages: [{ role: 'human' }] }, 'message 0 has the role "human"'],
    [null, 'a trajectory guard scores messages'],
  ])('refuses %j', async (item, message) => {
    await expectRefusal(preparation, item, message);
  });

  test('what is wrong with one item costs no other', async () => {
    const [first, second] = goldenTrajectories();
    if (first === undefined || second === undefined) throw new Error('the fixture has changed');
    const contents = await preparation.contentsOf([first.input, 'a text', { messages: [] }, second.input]);
    const ids = contents.map((content) =>
      content instanceof UserError ? content.message : [...content.tokenIds],
    );
    expect(ids).toEqual([
      first.tokenIds,
      'a trajectory guard scores messages (and tools), not a text',
      'the trajectory is empty: it has neither messages nor tools',
      second.tokenIds,
    ]);
    expect(await preparation.contentsOf([])).toEqual([]);
  });
});

async function expectRefusal(preparation: Preparation, item: unknown, message: string): Promise<void> {
  expect(() => preparation.textOf(item as Item)).toThrow(UserError);
  const [content] = await preparation.contentsOf([item as Item]);
  expect(content).toBeInstanceOf(UserError);
  expect((content as UserError).message).toContain(message);
}
