import fc from 'fast-check';
import { expect, test } from 'vitest';
import { closedJson, previewOf } from './stored-text.js';

test('JSON that is cut off anywhere parses to a part of what it was', () => {
  const json = JSON.stringify({ text: 'a "b"\n\u0001ü', list: [1.5, true, null, { a: [] }], last: 'x' });
  for (let length = 1; length <= json.length; length++) {
    const value = JSON.parse(closedJson(json.slice(0, length))) as { text?: string };
    expect('a "b"\n\u0001ü'.startsWith(value.text ?? '')).toBe(true);
  }
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(200), (value, length) => {
      const whole = JSON.stringify(value);
      JSON.parse(closedJson(JSON.stringify({ value }).slice(0, length + 1)));
      if (typeof value === 'object' && value !== null) expect(closedJson(whole)).toBe(whole);
    }),
  );
});

test('of a row that is cut off, a list shows who said what up to there', () => {
  const messages = JSON.stringify([
    { role: 'user', content: 'a "cup" of tea' },
    { role: 'assistant', content: 'm'.repeat(1_000) },
  ]);
  const json = JSON.stringify({ messages });
  const row = { json: json.slice(0, 150), jsonBytes: json.length };
  expect(previewOf(row)).toMatchObject({
    preview: expect.stringMatching(/^user\na "cup" of tea\nassistant\nm+…$/) as string,
    excerpt: {
      messages: [
        { role: 'user', content: 'a "cup" of tea' },
        { role: 'assistant', content: expect.stringMatching(/^m+…$/) as string },
      ],
    },
  });
  expect(previewOf(undefined)).toEqual({ preview: null, excerpt: null });
});
