import { expect, test } from 'vitest';
import { duration } from './values.js';

test.each([
  ['500ms', 500],
  ['90s', 90_000],
  ['1.5h', 5_400_000],
  ['30d', 30 * 86_400_000],
  ['0s', 0],
])('%s', (text, ms) => {
  expect(duration(text)).toBe(ms);
});

test.each(['', '60', 's', '-1s', '1 h', '1w', '1e3s'])('%j is refused with what is expected', (text) => {
  expect(() => duration(text)).toThrow('Expected a number and a unit: 500ms, 90s, 10m, 12h or 30d.');
});
