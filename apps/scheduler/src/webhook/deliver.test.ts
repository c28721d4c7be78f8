import { expect, test } from 'vitest';
import { MAX_ATTEMPTS, waitAfter } from './deliver.js';

const middle = (): number => 0.5;

test('waits grow to four hours, and end after twelve attempts within a day', () => {
  const waits = Array.from({ length: MAX_ATTEMPTS }, (_, i) => waitAfter(i + 1, 0, middle));
  expect(waits.slice(0, 4)).toEqual([5, 15, 45, 135]);
  expect(waits.at(-2)).toBe(4 * 3600);
  expect(waits.at(-1)).toBeUndefined();
  const hours = waits.reduce((sum: number, wait) => sum + (wait ?? 0), 0) / 3600;
  expect(hours).toBeGreaterThan(12);
  expect(hours).toBeLessThan(24);
});

test('each is a fifth shorter to a fifth longer', () => {
  expect(waitAfter(3, 0, () => 0)).toBeCloseTo(36, 10);
  expect(waitAfter(3, 0, () => 1)).toBeCloseTo(54, 10);
});

test('a receiver has the time that it asks for, and not for ever', () => {
  expect(waitAfter(1, 600, middle)).toBe(600);
  expect(waitAfter(4, 1, middle)).toBe(135);
  expect(waitAfter(1, 1e9, middle)).toBe(4 * 3600);
});
