// cspell:disable: texts in several languages
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import iconv from 'iconv-lite';
import { expect, test } from 'vitest';
import { EncodingGuess, firstInvalidUtf8 } from './encoding.js';

test.each([
  ['plain and accented: héé, 漢字, 🙂', undefined],
  ['', undefined],
])('%j is UTF-8', (text, expected) => {
  expect(firstInvalidUtf8(Buffer.from(text))).toBe(expected);
});

test.each([
  ['a lone continuation byte', [0x61, 0x80], 1],
  ['an overlong slash', [0xc0, 0xaf], 0],
  ['an overlong three-byte form', [0xe0, 0x80, 0x80], 0],
  ['a surrogate', [0x61, 0x62, 0xed, 0xa0, 0x80], 2],
  ['above U+10FFFF', [0xf4, 0x90, 0x80, 0x80], 0],
  ['a sequence cut off', [0xc3, 0xa9, 0xe2, 0x82], 2],
  ['Latin-1', [0x63, 0x61, 0x66, 0xe9, 0x22], 3],
])('%s is found', (_name, bytes, offset) => {
  expect(firstInvalidUtf8(Uint8Array.from(bytes))).toBe(offset);
});

test('agrees with Node on any bytes, and what stands before the offset is UTF-8', () => {
  const bytes = fc
    .array(
      fc.oneof(
        fc.string({ unit: 'binary', maxLength: 4 }).map((text) => [...Buffer.from(text)]),
        fc.array(fc.integer({ min: 0x7f, max: 0xff }), { maxLength: 3 }),
      ),
      { maxLength: 8 },
    )
    .map((parts) => Uint8Array.from(parts.flat()));
  fc.assert(
    fc.property(bytes, (data) => {
      const offset = firstInvalidUtf8(data);
      expect(offset === undefined).toBe(isUtf8(data));
      if (offset === undefined) return;
      expect(offset).toBeLessThan(data.length);
      expect(isUtf8(data.subarray(0, offset))).toBe(true);
      for (let length = 1; length <= 4 && offset + length <= data.length; length += 1) {
        expect(isUtf8(data.subarray(offset, offset + length))).toBe(false);
      }
    }),
    { numRuns: 1000 },
  );
});

const RUSSIAN = [
  'Как испечь хлеб дома?',
  'Расскажи мне про погоду в Москве завтра.',
  'Напиши короткое письмо другу о поездке на море.',
];
const KOREAN = ['집에서 빵을 굽는 방법을 알려 주세요.', '내일 서울 날씨는 어때요?'];
const CHINESE = ['怎么在家里烤面包？请告诉我。', '明天北京的天气怎么样？'];

test.each([
  ['windows-1251', RUSSIAN],
  ['koi8-r', RUSSIAN],
  ['iso-8859-5', RUSSIAN],
  ['shift_jis', ['家でパンを焼くにはどうすればいいですか。']],
  ['euc-jp', ['家でパンを焼くにはどうすればいいですか。']],
  ['euc-kr', KOREAN],
  ['gb18030', CHINESE],
  ['big5', CHINESE],
])('records in %s have a hint that names it', (encoding, texts) => {
  const guess = new EncodingGuess();
  for (const [i, text] of texts.entries()) guess.seeBroken(iconv.encode(`${i},${text}`, encoding));
  expect(guess.hint).toMatch(new RegExp(`^It looks like ${encoding}: use --encoding ${encoding}$`, 'i'));
});

test('a guess that is not clear is not made', () => {
  const guess = new EncodingGuess();
  guess.seeBroken(iconv.encode('0,Как испечь хлеб дома?', 'windows-1251'));
  expect(guess.hint).toMatch(/^If the file has another encoding.*windows-1251/);
});
