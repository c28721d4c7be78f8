import { expect, test } from 'vitest';
import { drawBeta, randomBelow } from './sampling.js';

test('the same seed gives the same numbers, a different seed others', () => {
  const numbers = (seed: number): number[] => {
    const random = randomBelow(seed);
    return Array.from({ length: 20 }, () => random(1000));
  };
  expect(numbers(5)).toEqual(numbers(5));
  expect(numbers(5)).not.toEqual(numbers(6));
});

test.each([0, 1, 2 ** 31])('seed %i: every value below the limit occurs about equally often', (seed) => {
  const random = randomBelow(seed);
  const counts = new Uint32Array(10);
  for (let i = 0; i < 100_000; i++) {
    const value = random(10);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  // Five standard deviations (95 each).
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(475);
});

const DRAWS = 20_000;

test.each([
  [0.5, 0.5],
  [0.5, 12.5],
  [3.5, 1.5],
  [200.5, 50.5],
])('draws of beta(%f, %f) have its mean and its variance', (a, b) => {
  const below = randomBelow(7);
  const uniform = () => below(2 ** 32) / 2 ** 32;
  const drawn = Array.from({ length: DRAWS }, () => drawBeta(a, b, uniform));
  const mean = drawn.reduce((sum, x) => sum + x, 0) / DRAWS;
  const variance = drawn.reduce((sum, x) => sum + (x - mean) ** 2, 0) / DRAWS;
  const expected = { mean: a / (a + b), variance: (a * b) / ((a + b) ** 2 * (a + b + 1)) };
  // Five standard errors; the seed is fixed, so the test is deterministic.
  expect(Math.abs(mean - expected.mean)).toBeLessThan(5 * Math.sqrt(expected.variance / DRAWS));
  expect(variance / expected.variance).toBeGreaterThan(0.93);
  expect(variance / expected.variance).toBeLessThan(1.07);
});
