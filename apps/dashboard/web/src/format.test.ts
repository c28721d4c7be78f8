import { expect, test } from 'vitest';
import { ago, count, counted, duration, percent, score, sentence, size, threshold } from './format.js';

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

test.each([
  [0.2, '1 s'],
  [40, '40 s'],
  [200, '3 min'],
  [3600 * 2 + 600, '2 h 10 min'],
  [3600 * 3, '3 h'],
  [3600 * 72, '3 days'],
])('%d seconds are %s', (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test('near times are said as people say them, far ones as a date', () => {
  const now = Date.parse('2026-03-10T12:00:00Z');
  expect(ago('2026-03-10T11:57:00Z', now)).toBe('3 minutes ago');
  expect(ago('2026-03-10T14:00:00Z', now)).toBe('in 2 hours');
  expect(ago('2026-01-01T12:00:00Z', now)).toContain('2026');
});

test.each([
  ['the key is not known', 'The key is not known.'],
  ['Make one: tocsin keys create', 'Make one: tocsin keys create.'],
  ['It is over.', 'It is over.'],
  ['items.3.text: too long', 'items.3.text: too long.'],
  ['really?', 'really?'],
  ['', ''],
])('%j is said as %j', (text, said) => {
  expect(sentence(text)).toBe(said);
});
