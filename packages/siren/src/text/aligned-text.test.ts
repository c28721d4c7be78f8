import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AlignedText } from './aligned-text.js';
import { cleanText, cleanTextAligned } from './clean-text.js';

const messy = fc
  .array(
    fc.constantFrom('a', 'é', '😀', ' ', '\t', '\n', '\n\n\n\n', '<s>', '[INST]', '<|im_end|>', '\u0085'),
    { minLength: 1 },
  )

  .map((parts) => parts.join(''));

test('an aligned text is the cleaned text', () => {
  fc.assert(
    fc.property(messy, (text) => {
      expect(cleanTextAligned(text).text).toBe(cleanText(text));
    }),
  );
});

test('every character leads back to what it stands for, in order', () => {
  fc.assert(
    fc.property(messy, (text) => {
      const cleaned = cleanTextAligned(text);
      let last = 0;
      for (let i = 0; i < cleaned.text.length; i++) {
        const { start, end } = cleaned.originOf({ start: i, end: i + 1 });
        expect(start).toBeGreaterThanOrEqual(last);
        expect(end).toBeGreaterThan(start);
        const unit = cleaned.text[i] ?? '';
        // Only blanks and newlines are ever put in the place of something else.
        if (unit !== ' ' && unit !== '\n') expect(text.slice(start, end)).toBe(unit);
        last = start;
      }
    }),
  );
});

test('a text with nothing in it is one space, which stands for all of it', () => {
  expect(cleanTextAligned(' \t ').originOf({ start: 0, end: 1 })).toEqual({ start: 0, end: 3 });
  expect(cleanTextAligned('').originOf({ start: 0, end: 1 })).toEqual({ start: 0, end: 0 });
});

test('a replacement stands for all that it replaces, also when it was replaced before', () => {
  const text = AlignedText.of('a<s> <s>b').replace(/<s>/g, ' ').replace(/ +/g, ' ');
  expect(text.text).toBe('a b');
  expect(text.originOf({ start: 1, end: 2 })).toEqual({ start: 1, end: 8 });
  expect(text.originOf({ start: 0, end: 3 })).toEqual({ start: 0, end: 9 });
  expect(text.originOf({ start: 2, end: 2 })).toEqual({ start: 8, end: 8 });
});
