import { expect, test } from 'vitest';
import { drift } from '../drift/drift.js';
import { evaluate } from './evaluate.js';
import { intervalText, measureText, percentText, smallText } from './format.js';
import {
  groupTable,
  histogramTable,
  judgementTable,
  measureTable,
  printable,
  thresholdTable,
} from './tables.js';

test('formats numbers for display', () => {
  expect([measureText(0.81239), measureText(undefined)]).toEqual(['0.8124', '–']);
  expect([0, 0.5, 0.123456, 0.00012345, -3e-7, 1].map(smallText)).toEqual([
    '0',
    '0.5',
    '0.1235',
    '1.23e-4',
    '-3.00e-7',
    '1',
  ]);
  expect([0.001, 0.5, 1, 0.12345].map(percentText)).toEqual(['0.1 %', '50 %', '100 %', '12.3 %']);
  expect(intervalText({ low: 0.1, high: 0.25 })).toBe('0.1000 to 0.2500');
});

const rows = [
  { key: '1', score: 0.9, label: 1 as const, group: 'a\u001b[31m' },
  { key: '2', score: 0.4, label: 0 as const, group: 'b' },
];

test('every row of a table has a cell per column', () => {
  for (const resamples of [0, 5]) {
    const evaluation = evaluate(rows, { threshold: 0.5, resamples });
    const compared = drift([{ key: '1', a: 0.2, b: 0.3, label: 1 }], { a: 0.5, b: 0.5 });
    const tables = [
      measureTable(evaluation),
      thresholdTable(evaluation),
      groupTable(evaluation.groups ?? []),
      histogramTable(compared),
      judgementTable(compared),
    ];
    for (const table of tables) {
      for (const row of table?.rows ?? []) expect(row).toHaveLength(table?.head.length ?? 0);
    }
  }
});

test('a name from a corpus cannot control the terminal', () => {
  expect(printable('a\u001b[31m\u202eb\n')).toBe('a?[31m?b?');
  expect(printable('x'.repeat(100))).toHaveLength(40);
});
