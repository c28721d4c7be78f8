import { expect, test } from 'vitest';
import { count, counted, percent, score, size, threshold } from './number.js';

test.each([
  [0, '0.000'],
  [0.0001, '<0.001'],
  [0.5, '0.500'],
  [0.9994, '0.999'],
  [0.9999, '>0.999'],
  [1, '1.000'],
])('the score %d reads %s', (value, text) => {
  expect(score(value)).toBe(text);
});

test('a threshold has no zeros at its end, and a count has its word', () => {
  expect([0.5, 0.125, 1].map(threshold)).toEqual(['0.5', '0.125', '1']);
  expect([counted(1, 'row'), counted(0, 'row'), counted(3, 'more row', 'more rows')]).toEqual([
    '1 row',
    '0 rows',
    '3 more rows',
  ]);
});

test('a small share is not nothing', () => {
  expect(percent(0)).toBe('0%');
  expect(percent(0.00012)).toBe('0.012%');
  expect(percent(0.125)).toBe('12.5%');
});

test('a size has one digit where it says something', () => {
  expect([999, 1500, 250_000_000].map(size)).toEqual(['999 bytes', '1.5 kB', '250 MB']);
  expect(count(12_345)).toContain('345');
});
