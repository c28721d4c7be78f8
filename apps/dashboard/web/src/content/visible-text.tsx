import type { JSX } from 'preact';

/** Untrusted text: text nodes only, with a mark for each character that hides or reorders others. */
export function VisibleText({ text }: { text: string }): JSX.Element {
  return (
    <>
      {visiblePieces(text).map((piece) =>
        'text' in piece ? (
          piece.text
        ) : (
          <span class="hidden-mark" title={piece.what}>
            {piece.mark}
          </span>
        ),
      )}
    </>
  );
}

/** A part of a text: plain, or one invisible character by name. */
export type Piece = { text: string } | { mark: string; what: string };

/** Characters that are invisible or change how others look, and so can hide text from its reader. */
const NAMED: Record<number, [mark: string, what: string]> = {
  173: ['SHY', 'soft hyphen'],
  847: ['CGJ', 'combining grapheme joiner'],
  1564: ['ALM', 'Arabic letter mark'],
  4447: ['HF', 'Hangul filler'],
  4448: ['HF', 'Hangul filler'],
  6158: ['MVS', 'Mongolian vowel separator'],
  8203: ['ZWSP', 'zero width space'],
  8206: ['LRM', 'left-to-right mark'],
  8207: ['RLM', 'right-to-left mark'],
  8232: ['LS', 'line separator'],
  8233: ['PS', 'paragraph separator'],
  8234: ['LRE', 'left-to-right embedding'],
  8235: ['RLE', 'right-to-left embedding'],
  8236: ['PDF', 'pop directional formatting'],
  8237: ['LRO', 'left-to-right override'],
  8238: ['RLO', 'right-to-left override'],
  8288: ['WJ', 'word joiner'],
  8289: ['FA', 'function application'],
  8290: ['IT', 'invisible times'],
  8291: ['IS', 'invisible separator'],
  8292: ['IP', 'invisible plus'],
  8294: ['LRI', 'left-to-right isolate'],
  8295: ['RLI', 'right-to-left isolate'],
  8296: ['FSI', 'first strong isolate'],
  8297: ['PDI', 'pop directional isolate'],
  12644: ['HF', 'Hangul filler'],
  65279: ['BOM', 'zero width no-break space'],
  65440: ['HF', 'Hangul filler'],
  65532: ['OBJ', 'object replacement'],
  65533: ['?', 'replacement character'],
};
const ZERO_WIDTH_NON_JOINER = 0x200c;
const ZERO_WIDTH_JOINER = 0x200d;
const NEWLINE = 0x0a;
const TAB = 0x09;
const CONTROL_PICTURES = 0x2400;

/** A fast check for anything that may need a mark, including lone surrogates. */
const SUSPECT =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it searches for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffd\u{e0000}-\u{e0fff}]|\u034f|\p{Surrogate}/gu;

/** Splits a text at characters that need a mark. */
export function visiblePieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(SUSPECT)) {
    const at = match.index;
    const named = nameOf(match[0].codePointAt(0) ?? 0, text, at);
    if (named === undefined) continue;
    if (at > from) pieces.push({ text: text.slice(from, at) });
    pieces.push({ mark: named[0], what: named[1] });
    from = at + match[0].length;
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** The same as a string, where elements are not possible: titles and options. */
export function visibleString(text: string): string {
  return visiblePieces(text)
    .map((piece) => ('text' in piece ? piece.text : `[${piece.mark}]`))
    .join('');
}

function nameOf(code: number, text: string, at: number): [mark: string, what: string] | undefined {
  const named = NAMED[code];
  if (named !== undefined) return named;
  if (code === NEWLINE || code === TAB) return undefined;
  if (code < 0x20) return [String.fromCodePoint(CONTROL_PICTURES + code), `control character ${hex(code)}`];
  if (code === 0x7f) return ['\u2421', 'delete'];
  if (code < 0xa0) return [hex(code), 'control character'];
  if (code === ZERO_WIDTH_JOINER || code === ZERO_WIDTH_NON_JOINER) {
    // Between letters of some scripts and in emoji they are part of the text.
    if ((text.codePointAt(at - 1) ?? 0) > 0x7f) return undefined;
    return code === ZERO_WIDTH_JOINER ? ['ZWJ', 'zero width joiner'] : ['ZWNJ', 'zero width non-joiner'];
  }
  if (code >= 0xe0000 && code <= 0xe007f) return [`TAG ${tagLetter(code)}`, `tag character ${hex(code)}`];
  if (code >= 0xe0100 && code <= 0xe01ef) return [`VS${code - 0xe0100 + 17}`, 'variation selector'];
  if (code >= 0xd800 && code <= 0xdfff) return [hex(code), 'half of a character'];
  return [hex(code), 'invisible character'];
}

/** Tag characters encode invisible ASCII. */
function tagLetter(code: number): string {
  const letter = code - 0xe0000;
  return letter > 0x20 && letter < 0x7f ? String.fromCharCode(letter) : hex(code);
}

function hex(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}
