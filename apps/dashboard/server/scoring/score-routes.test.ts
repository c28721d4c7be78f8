import { expect, test } from 'vitest';
import { itemOf } from './score-routes.js';

test('messages and tools are taken as they are spelled', () => {
  const json = '{"messages": [{"role": "user", "n": 1.0, "1": 2}], "tools":[ {"b":1e2} ]}';
  const given = JSON.parse(json) as { messages: Record<string, unknown>[]; tools: Record<string, unknown>[] };
  expect(itemOf(given, json)).toEqual({
    messages: '[{"role": "user", "n": 1.0, "1": 2}]',
    tools: '[ {"b":1e2} ]',
  });
});

test('a text and a pair are taken as they are; parts that are null are none', () => {
  expect(itemOf({ text: '' }, '{}')).toEqual({ text: '' });
  expect(itemOf({ prompt: 'a', response: null, tools: null }, '{}')).toEqual({ prompt: 'a', response: null });
});

test.each([
  [{}, 'items.2.text'],
  [{ prompt: null }, 'items.2.text'],
  [{ text: 'a', response: 'b' }, 'items.2.text'],
  [{ text: 'a', messages: [] }, 'items.2.text'],
  [{ text: 'a', tools: [] }, 'items.2.tools'],
])('%j is no item', (given, field) => {
  expect(() => itemOf(given, '{}', 'items.2.')).toThrow(expect.objectContaining({ status: 400, field }));
});
