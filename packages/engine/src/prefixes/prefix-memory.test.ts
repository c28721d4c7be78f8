import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PrefixMemories, PrefixMemory, type Remembered } from './prefix-memory.js';

const WIDTHS = { means: 3, keys: 2, layers: 2 };

/** The state of tokens, distinct for each token and position. */
function left(tokenIds: number[], from: number): Remembered {
  const filled = (width: number, kind: number): Float32Array =>
    Float32Array.from(
      { length: tokenIds.length * width },
      (_, i) => kind * 10_000 + (tokenIds[Math.floor(i / width)] ?? 0) * 100 + from + Math.floor(i / width),
    );
  return {
    tokenIds: Int32Array.from(tokenIds),
    scores: filled(1, 1),
    means: filled(WIDTHS.means, 2),
    keys: [filled(WIDTHS.keys, 3), filled(WIDTHS.keys, 4)],
    values: [filled(WIDTHS.keys, 5), filled(WIDTHS.keys, 6)],
  };
}

const ids = fc.array(fc.nat(3), { maxLength: 12 });

test('however a row changes, it holds what the row would have left in one go', () => {
  fc.assert(
    fc.property(fc.array(ids, { minLength: 1, maxLength: 8 }), (versions) => {
      const memory = new PrefixMemory(WIDTHS);
      for (const version of versions) {
        const shared = memory.sharedWith(Int32Array.from(version));
        memory.truncate(shared);
        memory.append(left(version.slice(shared), shared));
        expect(memory.length).toBe(version.length);
        expect(memory.first(version.length)).toEqual(left(version, 0));
      }
    }),
  );
});

test('what is shared ends at the first token that differs', () => {
  const memory = new PrefixMemory(WIDTHS);
  memory.append(left([1, 2, 3], 0));
  expect(memory.sharedWith(Int32Array.of(1, 2, 4, 3))).toBe(2);
  expect(memory.sharedWith(Int32Array.of(1))).toBe(1);
  expect(memory.sharedWith(Int32Array.of())).toBe(0);
});

test('the stream that was used least lately is forgotten first, and only when it must be', () => {
  const one = new PrefixMemory(WIDTHS);
  one.append(left([1, 2], 0));
  const memories = new PrefixMemories(WIDTHS, 2 * one.bytes);
  for (const stream of [1, 2, 3]) memories.of(stream).append(left([1, 2], 0));
  expect(memories.of(1).length).toBe(2);
  memories.shrink();
  expect([memories.of(1).length, memories.of(2).length, memories.of(3).length]).toEqual([2, 0, 2]);
  memories.forget(1);
  expect(memories.of(1).length).toBe(0);
  expect(memories.of(undefined).length).toBe(0);
});
