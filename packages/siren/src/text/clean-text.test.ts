import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONTENT_GUARDS, goldenCases } from '../testing/golden.js';
import { AlignedText, cleanText, cleanTextAligned, joinPromptResponse } from './clean-text.js';
import { textOf } from './content.js';
import { GrowingText } from './growing-text.js';

test.each(CONTENT_GUARDS)('%s: every text is prepared as the reference prepared it', (guard) => {
  for (const { input, cleaned } of goldenCases(guard)) expect(cleanText(textOf(input))).toBe(cleaned);
});

/** The characters for which Python's `isspace()` is true: U+001C to 1F and U+0085 are among them, U+FEFF is not. */
const PYTHON_SPACES = [
  ...[9, 10, 11, 12, 13, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
  ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
];

test("the ends lose Python's white space, and nothing else of the 65,536", () => {
  const stripped = Array.from({ length: 0x10000 }, (_, code) => code).filter(
    (code) => cleanText(String.fromCharCode(code)) === ' ',
  );
  expect(stripped).toEqual(PYTHON_SPACES);
});

const MARKERS = [
  ['<|im_start|>', '<|im_end|>', '<|im_sep|>', '<|system|>', '<|user|>', '<|assistant|>'],
  ['<|begin_of_text|>', '<|end_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'],
  ['<|endoftext|>', '<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>'],
  ['<<SYS>>', '<</SYS>>', '[INST]', '[/INST]', '<s>', '</s>', '<|s|>', '<|/s|>'],
].flat();

test('chat-template markers become a space', () => {
  for (const marker of MARKERS) {
    expect(cleanText(`a${marker}b`), marker).toBe('a b');
    expect(cleanText(marker), marker).toBe(' ');
  }
});

test.each([
  ['another case', 'a<|IM_START|>b'],
  ['a marker that the reference does not know', 'a<|pad|>b'],
  ['a marker in pieces', 'a<|im_ start|>b'],
  ['two newlines', 'a\n\nb'],
  ['newlines with blanks between them', 'a\n \n \n \nb'],
  ['carriage returns', 'a\r\n\r\n\r\nb'],
  ['no-break spaces inside', 'a\u00a0\u00a0b'],
  ['decomposed characters', 'e\u0301'],
])('%s: left as it is', (_what, text) => {
  expect(cleanText(text)).toBe(text);
});

test.each([
  ['runs of blanks and tabs', 'a \t \t b', 'a b'],
  ['three newlines', 'a\n\n\nb', 'a\n\nb'],
  ['many newlines', `a${'\n'.repeat(50)}b`, 'a\n\nb'],
  ['blanks that markers leave', 'a <s> <s> b', 'a b'],
  ['markers that leave three newlines apart', 'a\n<s>\n\nb', 'a\n \n\nb'],
  ['a text of nothing', '', ' '],
  ['a text of white space', '\n\u2003\u001c\t', ' '],
])('%s', (_what, text, cleaned) => {
  expect(cleanText(text)).toBe(cleaned);
});

/** Texts made mostly of what the cleaning looks for. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ' ',
        '\t',
        '\n',
        '\r',
        '\u0085',
        '\u001c',
        '\ufeff',
        '\u00a0',
        'a',
        '<',
        '|',
        ...MARKERS,
      ),
      fc.string({ unit: 'grapheme' }),
    ),
  )
  .map((parts) => parts.join(''));

test('whatever the text: never empty, nothing left to do, no double blanks, ends stripped', () => {
  fc.assert(
    fc.property(texts, (text) => {
      const cleaned = cleanText(text);
      expect(cleanText(cleaned)).toBe(cleaned);
      expect(cleaned).not.toMatch(/[ \t]{2}|\t|\n{3}/);
      if (cleaned === ' ') return;
      expect(cleaned).not.toBe('');
      expect(PYTHON_SPACES).not.toContain(cleaned.charCodeAt(0));
      expect(PYTHON_SPACES).not.toContain(cleaned.charCodeAt(cleaned.length - 1));
      for (const marker of MARKERS) expect(cleaned.includes(marker)).toBe(false);
    }),
  );
});

test('a prompt and a response join with a newline, an empty part is left out', () => {
  expect(joinPromptResponse('p', 'r')).toBe('p\nr');
  expect(joinPromptResponse('', 'r')).toBe('r');
  expect(joinPromptResponse('p', undefined)).toBe('p');
  expect(joinPromptResponse('', '')).toBe('');
  expect(joinPromptResponse(' ', 'r')).toBe(' \nr');
});

test('a text that grows is at each part the cleaned text of all so far', () => {
  const parts = fc.array(
    fc.oneof(
      texts,
      // Markers in pieces, and pieces that look like markers.
      fc.constantFrom(
        ...MARKERS.flatMap((marker) => [marker.slice(0, 3), marker.slice(3), marker.slice(0, -1), '>']),
      ),
      fc.constantFrom(' ', '\n', '\n\n', '\u3000', '<', '<<', '|', ''),
    ),
  );
  fc.assert(
    fc.property(parts, (pieces) => {
      let growing = GrowingText.empty;
      let whole = '';
      for (const piece of pieces) {
        whole += piece;
        growing = growing.add(piece);
        expect(growing.text).toBe(cleanText(whole));
      }
    }),
    { numRuns: 2_000 },
  );
});

test('a text of markers and white space may come character by character', () => {
  fc.assert(
    fc.property(texts, (whole) => {
      let growing = GrowingText.empty;
      for (let i = 0; i < whole.length; i++) {
        growing = growing.add(whole.charAt(i));
        expect(growing.text).toBe(cleanText(whole.slice(0, i + 1)));
      }
    }),
  );
});

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
        // Replacements are always blanks and newlines.
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
