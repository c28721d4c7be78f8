import { expect, test } from 'vitest';
import { partsOf } from './parts.js';

test('an item is shown as it was said', () => {
  expect(partsOf({ text: 'tea' })).toEqual([{ name: undefined, text: 'tea' }]);
  expect(partsOf({ prompt: 'a', response: 'b' })).toEqual([
    { name: 'Prompt', text: 'a' },
    { name: 'Response', text: 'b' },
  ]);
  const messages = [
    { role: 'user', content: 'hello' },
    { role: 'assistant', content: null, tool_calls: [{ function: { name: 'search' } }] },
  ];
  const parts = partsOf({ messages, tools: [{ name: 'search' }] });
  expect(parts.map(({ name }) => name)).toEqual(['User', 'Assistant', 'Tools']);
  expect(parts[1]?.text).toContain('search');
});

test('a message that is none is shown all the same', () => {
  expect(partsOf({ messages: [null, 'x', 7] })).toHaveLength(3);
});
