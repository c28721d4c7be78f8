import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isBlank, LineSplitter } from './line-splitter.js';

interface Seen {
  number: number;
  length: number;
  bytes: string | undefined;
}

function split(chunks: Buffer[], maxLineBytes: number): Seen[] {
  const splitter = new LineSplitter(maxLineBytes);
  const seen: Seen[] = [];
  const take = (lines: Iterable<{ number: number; length: number; bytes: Buffer | undefined }>): void => {
    for (const { number, length, bytes } of lines)
      seen.push({ number, length, bytes: bytes?.toString('latin1') });
  };
  for (const chunk of chunks) take(splitter.push(chunk));
  take(splitter.end());
  return seen;
}

/** The same in one go: Latin-1 keeps every byte apart. */
function naive(bytes: Buffer, maxLineBytes: number): Seen[] {
  const parts = bytes.toString('latin1').split('\n');
  const rest = parts.pop();
  const lines = parts.map((part) => part.replace(/\r$/, ''));
  if (rest !== undefined && rest !== '') lines.push(rest);
  return lines.map((line, i) => ({
    number: i + 1,
    length: line.length,
    bytes: line.length <= maxLineBytes ? line : undefined,
  }));
}

/** Bytes with many line ends, and where to cut them. */
const stream = fc.record({
  bytes: fc
    .array(fc.oneof(fc.constantFrom(0x0a, 0x0d, 0x0d, 0x0a), fc.integer({ min: 0, max: 255 })), {
      maxLength: 80,
    })
    .map((values) => Buffer.from(values)),
  cuts: fc.array(fc.nat({ max: 80 }), { maxLength: 12 }),
  limit: fc.integer({ min: 1, max: 12 }),
});

function cut(bytes: Buffer, cuts: number[]): Buffer[] {
  const ends = [...cuts.filter((at) => at <= bytes.length).sort((a, b) => a - b), bytes.length];
  let from = 0;
  return ends.map((to) => {
    const chunk = bytes.subarray(from, to);
    from = to;
    return chunk;
  });
}

describe('LineSplitter', () => {
  test('equals the naive split for any bytes, any cuts and any limit', () => {
    fc.assert(
      fc.property(stream, ({ bytes, cuts, limit }) => {
        expect(split(cut(bytes, cuts), limit)).toEqual(naive(bytes, limit));
      }),
      { numRuns: 1000 },
    );
  });

  test('a CR is dropped only before an LF, also when a chunk ends between them', () => {
    const bytes = ['a\r\n', 'b\r', '\n\r', 'c\n', 'd\r'].map((part) => Buffer.from(part));
    expect(split(bytes, 100).map((line) => line.bytes)).toEqual(['a', 'b', '\rc', 'd\r']);
  });

  test('a line at the limit is kept, one byte more is counted and dropped, and the next line goes on', () => {
    const bytes = Buffer.from('12345\r\n123456\r\nab\n');
    expect(split([bytes], 5)).toEqual([
      { number: 1, length: 5, bytes: '12345' },
      { number: 2, length: 6, bytes: undefined },
      { number: 3, length: 2, bytes: 'ab' },
    ]);
  });

  test('no bytes are no lines', () => {
    expect(split([], 10)).toEqual([]);
    expect(split([Buffer.alloc(0)], 10)).toEqual([]);
  });
});

test.each([
  ['', true],
  [' \t\r\v\f', true],
  [' x', false],
  ['\0', false],
  ['\u00a0', false],
])('isBlank(%j) is %s', (text, expected) => {
  expect(isBlank(Buffer.from(text))).toBe(expected);
});
