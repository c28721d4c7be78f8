import type { Trace } from '@tocsin/engine';
import { Chalk } from 'chalk';
import { expect, test } from 'vitest';
import { printable } from '../terminal/printable.js';
import { piecesOf, traceText } from './command.js';

/** `ab 😀 c`, with the emoji in three tokens and the last character beyond the input. */
const TRACE: Trace = {
  text: 'ab 😀 c',
  score: 0.7,
  isHarmful: true,
  threshold: 0.5,
  omittedTokens: 1,
  tokens: [
    { start: 0, end: 0, tokenId: 0, score: 0.01 },
    { start: 0, end: 2, tokenId: 1, score: 0.2 },
    { start: 2, end: 5, tokenId: 2, score: 0.3 },
    { start: 3, end: 5, tokenId: 3, score: 0.6 },
    { start: 3, end: 5, tokenId: 4, score: 0.7 },
  ],
};

test('pieces make up the whole text; a shared character has the score of its last token', () => {
  expect(piecesOf(TRACE)).toEqual([
    { text: 'ab', score: 0.2 },
    { text: ' 😀', score: 0.7 },
    { text: ' c', score: undefined },
  ]);
});

test('in a terminal it is the text, in colours; in a pipe a line for each piece', () => {
  const coloured = traceText(TRACE, new Chalk({ level: 3 }));
  expect(coloured).toContain('\u001b[48;2;245;230;180m');
  expect(coloured).toContain('score up to here');
  const plain = traceText(TRACE, new Chalk({ level: 0 }));
  expect(plain.split('\n')).toEqual([
    '0.2000  "ab"',
    '0.7000  " 😀"',
    'unseen  " c"',
    '',
    'score 0.7000: harmful at 0.5; first reached at token 4 of 5',
    'tokens that the guard does not see: 1',
  ]);
});

test('a hostile text is shown and not obeyed', () => {
  expect(printable('a\u001b[2J\u202eb\r\n\tc\u0007')).toBe('a\\u001b[2J\\u202eb\\r\n\tc\\u0007');
});
