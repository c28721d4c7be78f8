import { expect, test } from 'vitest';
import { Matrix, roundChannels } from './matrix.js';
import { Rotation } from './rotation.js';
import { planNeurons } from './smoothing.js';

const SIZES = [1, 2, 3, 10, 51, 64, 77, 96, 576, 1024];

/** Numbers between -1 and 1, the same every time. */
function numbers(count: number, seed = 7): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (state * 48_271) % 2_147_483_647;
    return (2 * state) / 2_147_483_647 - 1;
  });
}

const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

test.each(SIZES)('a rotation of %i keeps lengths and angles', (size) => {
  const [a, b] = [numbers(size), numbers(size, 11)];
  const before = [dot(a, a), dot(a, b)];
  const rotation = new Rotation(size);
  for (const vector of [a, b]) rotation.apply(vector);
  expect(dot(a, a)).toBeCloseTo(before[0] ?? 0, 3);
  expect(dot(a, b)).toBeCloseTo(before[1] ?? 0, 3);
});

test.each(SIZES)('a rotation of %i is its signs and the product of its factors', (size) => {
  const rotation = new Rotation(size);
  const factors = rotation.factors();
  expect(factors.reduce((product, factor) => product * factor.size, 1)).toBe(size);
  const vector = numbers(size);
  let expected = vector.map((value, i) => value * (rotation.signs[i] ?? 0));
  let after = size;
  for (const { size: width, matrix } of factors) {
    after /= width;
    const next = new Float32Array(size);
    for (let start = 0; start < size; start += width * after) {
      for (let rest = 0; rest < after; rest++) {
        for (let j = 0; j < width; j++) {
          for (let i = 0; i < width; i++) {
            const value = expected[start + i * after + rest] ?? 0;
            next[start + j * after + rest] =
              (next[start + j * after + rest] ?? 0) + value * (matrix[i * width + j] ?? 0);
          }
        }
      }
    }
    expected = next;
  }
  rotation.apply(vector);
  for (const [i, value] of vector.entries()) expect(value).toBeCloseTo(expected[i] ?? Number.NaN, 4);
});

test('one large value is spread over all', () => {
  const vector = new Float32Array(576);
  vector[100] = 24;
  new Rotation(576).apply(vector);
  expect(vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBeLessThan(1.5);
});

test('a weight is rounded to the nearest of 255 steps of each output, and stored by input', () => {
  const weight = new Matrix(2, 3, Float32Array.of(127, -63.6, 0.4, 0, 0, 0));
  const { codes, scales } = roundChannels(weight);
  expect([...scales]).toEqual([1, 1]);
  expect([...codes]).toEqual([127, 0, -64, 0, 0, 0]);
  expect(() => roundChannels(new Matrix(1, 1, Float32Array.of(Number.NaN)))).toThrow(RangeError);
});

test('the neurons with the largest activations are outliers; the others are made more equal', () => {
  const peaks = new Float32Array(64).fill(1);
  peaks.set([4000, 900], 20);
  peaks[3] = 0;
  const { outliers, smoothing } = planNeurons(peaks, new Float32Array(64).fill(1));
  expect(outliers).toHaveLength(16);
  expect(outliers).toEqual(expect.arrayContaining([20, 21]));
  expect(outliers).toEqual(outliers.toSorted((a, b) => a - b));
  expect(smoothing[0]).toBe(1);
  expect(smoothing[3]).toBeGreaterThan(0);
});
