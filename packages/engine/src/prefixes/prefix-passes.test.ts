import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { packPrefixes, planPasses } from './prefix-passes.js';

const LIMIT = 16;
const rows = fc.array(
  fc.record({ from: fc.nat(20), count: fc.nat(50) }).map(({ from, count }) => ({ from, to: from + count })),
  { maxLength: 12 },
);

test('every new token is in exactly one pass, after those before it, and no pass is too large', () => {
  fc.assert(
    fc.property(rows, (given) => {
      const next = given.map(({ from }) => from);
      for (const pass of planPasses(given, LIMIT)) {
        expect(pass.length).toBeGreaterThan(0);
        expect(pass.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(LIMIT);
        expect(new Set(pass.map(({ row }) => row)).size).toBe(pass.length);
        for (const { row, from, count } of pass) {
          expect(from).toBe(next[row]);
          expect(count).toBeGreaterThan(0);
          next[row] = from + count;
        }
      }
      expect(next).toEqual(given.map(({ to }) => to));
    }),
  );
});

test('rows that fit share a pass', () => {
  expect(
    planPasses(
      [
        { from: 3, to: 11 },
        { from: 0, to: 2 },
        { from: 5, to: 5 },
        { from: 0, to: 6 },
      ],
      LIMIT,
    ),
  ).toEqual([
    [
      { row: 1, from: 0, count: 2 },
      { row: 3, from: 0, count: 6 },
      { row: 0, from: 3, count: 8 },
    ],
  ]);
});

test('a row longer than a pass takes several', () => {
  expect(planPasses([{ from: 2, to: 40 }], LIMIT)).toEqual([
    [{ row: 0, from: 2, count: 16 }],
    [{ row: 0, from: 18, count: 16 }],
    [{ row: 0, from: 34, count: 6 }],
  ]);
});

describe('pack prefixes', () => {
  const rows = fc.array(
    fc.record({ tokenIds: fc.int32Array({ minLength: 1, maxLength: 6 }), past: fc.nat(5) }),
    { minLength: 1, maxLength: 5 },
  );

  test('one row with a past of two, one without', () => {
    expect(
      packPrefixes('content', [
        { tokenIds: Int32Array.of(7), past: 2 },
        { tokenIds: Int32Array.of(8, 9), past: 0 },
      ]),
    ).toEqual({
      rows: 2,
      tokens: 3,
      longest: 2,
      keys: 3,
      tokenIds: BigInt64Array.of(7n, 8n, 9n),
      positions: BigInt64Array.of(2n, 0n, 1n),
      padIndex: BigInt64Array.of(0n, 0n, 1n, 2n),
      unpadIndex: BigInt64Array.of(0n, 2n, 3n),
      keyIndex: BigInt64Array.of(0n, 1n, 2n, 3n, 4n, 0n),
      mask: Uint8Array.of(1, 1, 1, 1, 0, 0, 1, 0, 0, 1, 1, 0),
      pooling: Float32Array.of(1 / 3, 0, 0, 0, 1, 0, 0, 0.5, 0.5),
      pastShare: Float32Array.of(1 / 3, 0, 0, 1, 0, 0.5),
    });
  });

  test('each new token looks at its own past and its own row up to itself, and at nothing else', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const packed = packPrefixes('content', given);
        const pastTokens = given.reduce((sum, { past }) => sum + past, 0);
        let firstPast = 0;
        let firstToken = 0;
        for (const [row, { tokenIds, past }] of given.entries()) {
          for (let i = 0; i < tokenIds.length; i++) {
            const place = row * packed.longest + i;
            const visible = Array.from({ length: packed.keys }, (_, key) => key).filter(
              (key) => packed.mask[place * packed.keys + key] === 1,
            );
            const looksAt = visible.map((key) => Number(packed.keyIndex[row * packed.keys + key]));
            const own = Array.from({ length: past }, (_, j) => firstPast + j);
            const fresh = Array.from({ length: i + 1 }, (_, j) => pastTokens + firstToken + j);
            expect(looksAt).toEqual([...own, ...fresh]);
          }
          firstPast += past;
          firstToken += tokenIds.length;
        }
      }),
    );
  });

  test('the shares of a token add up to one: the new ones, and one for each of its past', () => {
    fc.assert(
      fc.property(rows, (given) => {
        const { tokens, pooling, pastShare } = packPrefixes('content', given);
        let token = 0;
        for (const [row, { tokenIds, past }] of given.entries()) {
          for (let i = 0; i < tokenIds.length; i++, token++) {
            const ofNew = pooling
              .subarray(token * tokens, (token + 1) * tokens)
              .reduce((sum, x) => sum + x, 0);
            const ofPast = (pastShare[token * given.length + row] ?? 0) * past;
            expect(ofNew + ofPast).toBeCloseTo(1, 5);
          }
        }
      }),
    );
  });

  test('a trajectory guard pools nothing', () => {
    const { pooling, pastShare } = packPrefixes('trajectory', [{ tokenIds: Int32Array.of(7), past: 2 }]);
    expect([pooling.length, pastShare.length]).toEqual([0, 0]);
  });

  test('a row without new tokens is refused', () => {
    expect(() => packPrefixes('content', [{ tokenIds: new Int32Array(), past: 2 }])).toThrow(
      'row 0 has no new tokens',
    );
  });
});
