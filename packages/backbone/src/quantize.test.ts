import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BlockFormat, quantizeRows } from './quantize.js';
import { dequantizeRows } from './testing/index.js';

const FORMATS: BlockFormat[] = [
  { bits: 8, blockSize: 32, zeroPoints: 'middle' },
  { bits: 8, blockSize: 64, zeroPoints: 'codes' },
  { bits: 4, blockSize: 32, zeroPoints: 'middle' },
  { bits: 4, blockSize: 32, zeroPoints: 'codes' },
  { bits: 4, blockSize: 32, zeroPoints: 'floats' },
];
const nameOf = ({ bits, blockSize, zeroPoints }: BlockFormat): string => `${bits} ${blockSize} ${zeroPoints}`;

/**
 * Typical rows of weights: mostly small values with outliers. The number of inputs is seldom a multiple of the block.
 */
const matrices = fc
  .tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 150 }), fc.integer(), fc.boolean())
  .map(([rows, inputs, seed, offset]) => {
    let state = seed;
    const next = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
      return (state >>> 0) / 2 ** 32 - 0.5;
    };
    const value = (): number => next() * (next() > 0.45 ? 8 : 1) + (offset ? 0.7 : 0);
    return { inputs, values: Float32Array.from({ length: rows * inputs }, value) };
  });

test.each(FORMATS.map((format) => [nameOf(format), format] as const))(
  '%s: no block is further off than the plain grid over its range may be',
  (_name, format) => {
    fc.assert(
      fc.property(matrices, ({ values, inputs }) => {
        const back = dequantizeRows(quantizeRows(values, inputs, format), inputs, format);
        expect(back).toHaveLength(values.length);
        for (let start = 0; start < values.length; ) {
          const length = Math.min(format.blockSize, inputs - (start % inputs));
          const block = values.slice(start, start + length);
          const error = block.reduce((sum, value, i) => sum + (value - (back[start + i] ?? 0)) ** 2, 0);
          const halfStep = plainStep(block, format) / 2;
          // The zero point is itself a code, which can shift the grid by half a step.
          const bound = format.zeroPoints === 'codes' ? 2 * halfStep : halfStep;
          expect(Math.sqrt(error / length)).toBeLessThanOrEqual(bound * (1 + 1e-4) + 1e-6);
          start += length;
        }
      }),
    );
  },
);

function plainStep(block: Float32Array, { bits, zeroPoints }: BlockFormat): number {
  const [low, high] = [Math.min(...block), Math.max(...block)];
  if (zeroPoints === 'middle') return Math.max(-low, high) / (2 ** (bits - 1) - 1);
  if (zeroPoints === 'codes') return (Math.max(0, high) - Math.min(0, low)) / (2 ** bits - 1);
  return (high - low) / (2 ** bits - 1);
}

/** [rows, inputs] on the grids of a quantized GGUF file: `step * code + offset` in blocks of 32. */
function onGrid(codes: number, offset: (block: number) => number): Float32Array {
  return Float32Array.from({ length: 4 * 64 }, (_, i) => {
    const block = Math.floor(i / 32);
    const code = i % 32 === 0 ? 0 : i % 32 === 1 ? codes - 1 : (i * 7 + block) % codes;
    return Math.fround((block + 1) * 2 ** -7) * code + offset(block);
  });
}

test('blocks of Q4_1, whose minimum is anything, stay what they are', () => {
  const values = onGrid(16, (block) => -0.11 * (block + 1));
  const format: BlockFormat = { bits: 4, blockSize: 32, zeroPoints: 'floats' };
  const back = dequantizeRows(quantizeRows(values, 64, format), 64, format);
  for (const [i, value] of values.entries()) expect(back[i]).toBeCloseTo(value, 6);
});

test('blocks of Q8_0 stay what they are, to the bit', () => {
  const values = onGrid(255, (block) => -127 * Math.fround((block + 1) * 2 ** -7));
  const format: BlockFormat = { bits: 8, blockSize: 32, zeroPoints: 'middle' };
  expect(dequantizeRows(quantizeRows(values, 64, format), 64, format)).toEqual(values);
});

test.each(FORMATS.map((format) => [nameOf(format), format] as const))(
  '%s: blocks of one value, and of zeros',
  (_name, format) => {
    for (const value of [0, 0.3, -2, 1e-30]) {
      const values = new Float32Array(40).fill(value);
      const back = dequantizeRows(quantizeRows(values, 40, format), 40, format);
      for (const one of back) expect(Math.abs(one - value)).toBeLessThanOrEqual(Math.abs(value) * 1e-6);
    }
  },
);

test('packing: two codes in a byte, the first in the low half; rows begin with a byte of their own', () => {
  const values = Float32Array.from({ length: 2 * 33 }, (_, i) => i % 33);
  const { codes, scales, zeroPoints } = quantizeRows(values, 33, {
    bits: 4,
    blockSize: 32,
    zeroPoints: 'codes',
  });
  expect([codes.length, scales.length, zeroPoints?.length]).toEqual([2 * 2 * 16, 4, 2]);
  const first = (codes[0] ?? 0) & 15;
  const last = (codes[15] ?? 0) >> 4;
  expect([first, last]).toEqual([0, 15]);
  expect(codes.subarray(0, 32)).toEqual(codes.subarray(32));
});

test.each([Number.NaN, Number.POSITIVE_INFINITY])('%s is no weight', (bad) => {
  const values = new Float32Array(32);
  values[9] = bad;
  for (const format of FORMATS) expect(() => quantizeRows(values, 32, format)).toThrow(RangeError);
});
