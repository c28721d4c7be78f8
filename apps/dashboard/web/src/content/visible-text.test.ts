import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Piece, visiblePieces, visibleString } from './visible-text.js';

const marks = (text: string): string[] =>
  visiblePieces(text).flatMap((piece) => ('mark' in piece ? [piece.mark] : []));
const plain = (pieces: Piece[]): string =>
  pieces.map((piece) => ('text' in piece ? piece.text : '')).join('');

describe('what cannot be seen is named', () => {
  test.each([
    ['an override', 'a\u202eb', ['RLO']],
    ['isolates', '\u2067x\u2069', ['RLI', 'PDI']],
    ['a zero width space', 'bo\u200bmb', ['ZWSP']],
    ['a control character', 'a\u0000b\u001bc', ['\u2400', '\u241b']],
    ['letters spelled in tags', 'x\u{e0068}\u{e0069}', ['TAG h', 'TAG i']],
    ['a variation selector beyond those of emoji', 'a\u{e0101}', ['VS18']],
    ['half of a character', 'a\ud800b', ['U+D800']],
    ['a joiner between ASCII letters', 'a\u200db', ['ZWJ']],
  ])('%s', (_, text, expected) => {
    expect(marks(text)).toEqual(expected);
  });

  test.each([
    ['lines and tabs', 'a\n\tb'],
    ['right-to-left letters', '\u05e9\u05dc\u05d5\u05dd'],
    ['a family of one emoji', '\u{1f469}\u200d\u{1f467}'],
    ['an emoji with its colour', '\u2764\ufe0f'],
    ['a non-joiner in Persian', '\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645'],
  ])('%s stay as they are', (_, text) => {
    expect(visiblePieces(text)).toEqual([{ text }]);
  });
});

test('where only a string can stand, marks stand in brackets', () => {
  expect(visibleString('a\u202eb')).toBe('a[RLO]b');
});

const BIDI = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/u;
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}\p{M}\u115f\u1160\u3164\uffa0\ufffc\ufffd]/gu;

test('nothing that can be seen is lost, and no bidirectional control is left', () => {
  const odd = fc.constantFrom('\u202e', '\u200b', '\u0000', '\ud800', '\u{e0041}', '\u0301');
  const unit = fc.oneof(
    odd,
    fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code)),
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), (parts) => {
      const text = parts.join('');
      const shown = plain(visiblePieces(text));
      expect(BIDI.test(shown)).toBe(false);
      expect(shown.replace(UNSEEN, '')).toBe(text.replace(UNSEEN, ''));
    }),
  );
});
