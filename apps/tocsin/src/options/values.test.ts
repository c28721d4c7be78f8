import { expect, test } from 'vitest';
import { duration, probability, wholeNumber } from './values.js';

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

test.each(['1', '16', '999999999'])('%s is a whole number', (text) => {
  expect(wholeNumber(text)).toBe(Number(text));
});
test.each(['0', '-1', '1.5', '1e3', '', ' 1', '0x1', '1234567890'])('%j is none from 1', (text) => {
  expect(() => wholeNumber(text)).toThrow('Expected a whole number from 1 to 999999999.');
});
test.each(['0', '1', '0.5', '1e-3'])('%s is a probability', (text) => {
  expect(probability(text)).toBe(Number(text));
});
test.each(['-0.1', '1.1', 'half', '', ' ', 'NaN', 'Infinity'])('%j is none', (text) => {
  expect(() => probability(text)).toThrow('Expected a number from 0 to 1.');
});
