import { expect, test } from 'vitest';
import { drawBeta } from './beta.js';
import { randomBelow } from './random.js';

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
  // Five standard errors: the seed is fixed, so that this is no matter of luck.
  expect(Math.abs(mean - expected.mean)).toBeLessThan(5 * Math.sqrt(expected.variance / DRAWS));
  expect(variance / expected.variance).toBeGreaterThan(0.93);
  expect(variance / expected.variance).toBeLessThan(1.07);
});
