import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainText } from './search-texts.js';

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

test('of a text that is cut off anywhere, its words up to there', () => {
  const messages = '[{"role": "user", "content": "a \\u00e4 \\"b\\" \\ud83d\\ude00 c"}]';
  const json = JSON.stringify({ messages, tools: '[{"name":"x"}]' });
  const whole = plainText(json);
  expect(whole).toBe('user\na ä "b" 😀 c\nx');
  for (let length = 0; length <= json.length; length++) {
    const part = plainText(json.slice(0, length));
    // Half of a surrogate pair may be its end.
    expect(whole.startsWith(part.replace(/[\ud800-\udbff]$/, ''))).toBe(true);
  }
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(300), (text, length) => {
      const given = JSON.stringify({ prompt: text, response: text }).slice(0, length);
      expect(`${text}\n${text}`.startsWith(plainText(given))).toBe(true);
    }),
  );
});

test('no more is looked for than is wanted', () => {
  const json = JSON.stringify({ messages: JSON.stringify(Array(1_000).fill({ role: 'user' })) });
  expect(plainText(json, 20).length).toBeLessThan(30);
});
