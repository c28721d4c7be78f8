import { expect, test } from 'vitest';
import { detailsOf, rangesOf } from './audit-screen.js';

test('row numbers are ranges in order, the first few of them in a line', () => {
  expect(rangesOf([7, 3, 1, 2, 3])).toEqual(['1–3', '7']);
  expect(detailsOf({ action: 'text.preview', details: { seqs: [2, 1, 3] } })).toEqual({ text: 'Rows 1–3' });
  const odd = Array.from({ length: 50 }, (_, i) => 2 * i + 1);
  const { text, full } = detailsOf({ action: 'text.preview', details: { seqs: odd } });
  expect(text).toBe('Rows 1, 3, 5, 7, 9, 11 and 44 more');
  expect(full).toMatch(/^Rows 1, 3, .*, 97, 99$/);
});

test.each([
  [
    'policy.change',
    { from: 0.5, to: 0.55, name: 'default', archived: false },
    'Threshold: 0.5 → 0.55, name: default',
  ],
  [
    'policy.change',
    { from: 0.5, to: 0.5, name: 'late', archived: true },
    'Threshold: 0.5, name: late, archived',
  ],
  [
    'schedule.create',
    { cron: '0 6 * * *', timeZone: 'UTC', corpus: ['a', 'b'] },
    'Cron: 0 6 * * *, Time zone: UTC, Corpus: a, b',
  ],
  ['run.delete', { name: 'x', rows: 12_000 }, 'Name: x, Rows: 12,000'],
  ['run.cancel', {}, ''],
])('%s %j', (action, details, text) => {
  expect(detailsOf({ action, details })).toEqual({ text });
});
