import { expect, test } from 'vitest';
import { ropeFrequencies, ropeTables } from './rope.js';

const plain = { theta: 10_000, scaling: undefined };

test('frequencies fall from 1 by powers of theta', () => {
  expect([...ropeFrequencies(plain, 8)]).toEqual([1, 0.1, 0.01, 0.001].map(Math.fround));
});

test('the tables: position times frequency, row after row', () => {
  const { cos, sin } = ropeTables(plain, 4, 3);
  // Frequencies 1 and 0.01.
  expect(near(cos)).toEqual([1, 1, 0.5403023, 0.99995, -0.4161468, 0.9998]);
  expect(near(sin)).toEqual([0, 0, 0.841471, 0.0099998, 0.9092974, 0.0199987]);
});

test('a far position has the angle that float32 gives it', () => {
  const { cos } = ropeTables(plain, 6, 5000);
  const frequency = Math.fround(10_000 ** (-2 / 6));
  expect(cos[4999 * 3 + 1]).toBe(Math.fround(Math.cos(Math.fround(4999 * frequency))));
});

/**
 * theta 500000 and 16 dimensions make wavelengths of 6.28, 32.40, 167.1 ... For a context of 64: below 64/4 = 16 as
 * it was, above 64/1 an eighth, and between them 0.193923 x (0.325094 + 0.674906 / 8), where 0.325094 is
 * (64 / 32.4005 - 1) / 3.
 */
test('llama3 scaling: high frequencies stay, low ones are slowed down, between them it is blended', () => {
  const scaling = { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 64 };
  const frequencies = [...ropeFrequencies({ theta: 500_000, scaling }, 16)];
  expect(near(frequencies.slice(0, 2))).toEqual([1, 0.079403]);
  for (const [i, frequency] of frequencies.entries()) {
    if (i >= 2) expect(frequency).toBeCloseTo(500_000 ** (-i / 8) / 8, 9);
  }
});

/** Llama 3.1 itself: 128 dimensions, 8192 positions. */
test('llama3 scaling of the released models', () => {
  const scaling = { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 };
  const frequencies = ropeFrequencies({ theta: 500_000, scaling }, 128);
  const of = (i: number) => Number(frequencies[i]).toPrecision(5);
  expect([0, 28, 29, 34, 35, 63].map(of)).toEqual([
    '1.0000',
    '0.0032114',
    '0.0021666',
    '0.00017851',
    '0.000095562',
    '3.0689e-7',
  ]);
});

const near = (values: ArrayLike<number>): number[] =>
  Array.from(values, (value) => Math.round(value * 1e7) / 1e7);
