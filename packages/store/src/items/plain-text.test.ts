import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainText } from './plain-text.js';

test('a text, a pair and messages are their words, without names of fields', () => {
  expect(plainText(JSON.stringify({ text: 'a "b"\nc' }))).toBe('a "b"\nc');
  expect(plainText(JSON.stringify({ prompt: 'why?', response: 'so' }))).toBe('why?\nso');
  const messages = JSON.stringify([
    { role: 'user', content: 'book a table' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ function: { name: 'book', arguments: '{"for": 2}' } }],
    },
  ]);
  const tools = '[{"name": "\\u00fcber", "n": 1.0}]';
  expect(plainText(JSON.stringify({ messages, tools }))).toBe(
    'user\nbook a table\nassistant\nbook\n{"for": 2}\nüber',
  );
});

test('messages that are very deep, and any text, are no trouble', () => {
  const deep = `${'['.repeat(5_000)}"x"${']'.repeat(5_000)}`;
  expect(plainText(JSON.stringify({ messages: deep }))).toBe('x');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(plainText(JSON.stringify({ text }))).toBe(text);
    }),
  );
});
