import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packBatch } from './batch-session.js';

const batches = fc.array(fc.int32Array({ minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 8 });
const concatenated = (rows: Int32Array[]): Int32Array => Int32Array.from(rows.flatMap((row) => [...row]));
const lengthsOf = (rows: Int32Array[]): Int32Array => Int32Array.from(rows, (row) => row.length);

test('a batch of two rows', () => {
  expect(packBatch('content', Int32Array.of(7, 8, 9), Int32Array.of(1, 2))).toEqual({
    rows: 2,
    tokens: 3,
    longest: 2,
    tokenIds: BigInt64Array.of(7n, 8n, 9n),
    padIndex: BigInt64Array.of(0n, 0n, 1n, 2n),
    unpadIndex: BigInt64Array.of(0n, 2n, 3n),
    lastPosition: Int32Array.of(0, 1),
    pooling: Float32Array.of(1, 0, 0, 0, 0.5, 0.5),
  });
});

test('tokens laid side by side and taken back are the tokens, each in its row and place', () => {
  fc.assert(
    fc.property(batches, (rows) => {
      const ids = concatenated(rows);
      const { padIndex, unpadIndex, longest } = packBatch('content', ids, lengthsOf(rows));
      const padded = Array.from(padIndex, (token) => ids[Number(token)]);
      expect(padded).toHaveLength(rows.length * longest);
      for (const [i, row] of rows.entries()) {
        expect(padded.slice(i * longest, i * longest + row.length)).toEqual([...row]);
      }
      expect(Array.from(unpadIndex, (place) => padded[Number(place)])).toEqual([...ids]);
    }),
  );
});

test("the pooling of a row is the mean of its tokens, and of no other row's", () => {
  fc.assert(
    fc.property(batches, (rows) => {
      const ids = concatenated(rows);
      const { pooling } = packBatch('content', ids, lengthsOf(rows));
      let first = 0;
      for (const [i, row] of rows.entries()) {
        const weights = pooling.subarray(i * ids.length, (i + 1) * ids.length);
        const own = weights.subarray(first, first + row.length);
        expect(own.every((weight) => weight === Math.fround(1 / row.length))).toBe(true);
        expect(weights.filter((weight) => weight !== 0)).toHaveLength(row.length);
        expect(own.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
        first += row.length;
      }
    }),
  );
});

test('a trajectory guard reads the last token of each row', () => {
  const { pooling } = packBatch('trajectory', Int32Array.of(7, 8, 9), Int32Array.of(1, 2));
  expect(pooling).toEqual(Float32Array.of(1, 0, 0, 0, 0, 1));
});

test.each([
  ['a row without tokens', [2, 0], 'row 1 has no tokens'],
  ['too few lengths', [1], 'lengths add up to 1 tokens, 2 were given'],
  ['too many', [1, 2], 'lengths add up to 3 tokens, 2 were given'],
])('%s is refused', (_what, lengths, message) => {
  expect(() => packBatch('content', Int32Array.of(1, 2), Int32Array.from(lengths))).toThrow(message);
});
