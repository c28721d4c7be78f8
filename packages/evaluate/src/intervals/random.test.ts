import { expect, test } from 'vitest';
import { randomBelow } from './random.js';

test('the same seed gives the same numbers, another one others', () => {
  const numbers = (seed: number): number[] => {
    const random = randomBelow(seed);
    return Array.from({ length: 20 }, () => random(1000));
  };
  expect(numbers(5)).toEqual(numbers(5));
  expect(numbers(5)).not.toEqual(numbers(6));
});

test.each([0, 1, 2 ** 31])('seed %i: every value below the limit is met about equally often', (seed) => {
  const random = randomBelow(seed);
  const counts = new Uint32Array(10);
  for (let i = 0; i < 100_000; i++) {
    const value = random(10);
    counts[value] = (counts[value] ?? 0) + 1;
  }
  // Five standard deviations (95 each).
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(475);
});
