import { expect, test } from 'vitest';
import { ago, duration } from './time.js';

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
