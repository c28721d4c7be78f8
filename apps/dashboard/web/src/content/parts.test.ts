import fc from 'fast-check';
import { expect, test } from 'vitest';
import { heatPieces, partsOf, shorten } from './parts.js';

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

test('a text is cut at its tokens, and what lies between them has no score', () => {
  const tokens = [
    { text: 'a', start: 0, end: 1, score: 0.1 },
    { text: 'b', start: 2, end: 3, score: 0.8 },
  ];
  expect(heatPieces({ text: 'a bc', tokens, firstHarmful: 1 })).toEqual([
    { text: 'a', score: 0.1, first: false },
    { text: ' ', score: undefined, first: false },
    { text: 'b', score: 0.8, first: true },
    { text: 'c', score: undefined, first: false },
  ]);
});

test('a character of two tokens is one piece, and counts as the second says', () => {
  const tokens = [
    { text: '?', start: 0, end: 2, score: 0.1 },
    { text: '?', start: 0, end: 2, score: 0.7 },
  ];
  expect(heatPieces({ text: '\u{1f514}', tokens, firstHarmful: 1 })).toEqual([
    { text: '\u{1f514}', score: 0.7, first: true },
  ]);
});

test('whatever the tokens are, nothing of the text is lost', () => {
  const span = fc.record({
    text: fc.constant('x'),
    start: fc.nat(20),
    end: fc.nat(20),
    score: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.string({ maxLength: 20 }), fc.array(span), (text, tokens) => {
      const pieces = heatPieces({ text, tokens, firstHarmful: null });
      expect(pieces.map((piece) => piece.text).join('')).toBe(text);
    }),
  );
});

test('a text is cut at a character, never within one', () => {
  expect(shorten('ab\u{1f514}c', 3)).toBe('ab');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 20 }), (text, limit) => {
      const short = shorten(text, limit);
      expect(text.startsWith(short)).toBe(true);
      expect(short.length).toBeLessThanOrEqual(limit);
      expect(short).not.toMatch(/\p{Surrogate}/u);
    }),
  );
});
