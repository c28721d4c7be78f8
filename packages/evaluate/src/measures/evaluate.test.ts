import { expect, test } from 'vitest';
import { type EvaluatedRow, evaluate } from './evaluate.js';

const row = (key: string, score: number, label: 0 | 1, group?: string): EvaluatedRow => ({
  key,
  score,
  label,
  group,
});

test('groups, largest first, each with its own measures', () => {
  const rows = [
    row('1', 0.9, 1, 'forum'),
    row('2', 0.8, 0, 'chat'),
    row('3', 0.2, 0, 'chat'),
    row('4', 0.7, 1, 'chat'),
    ...Array.from({ length: 30 }, (_, i) => row(`m${i}`, i / 30, i < 15 ? 0 : 1, 'mail')),
  ];
  const { groups } = evaluate(rows, { threshold: 0.5, resamples: 0 });
  expect(groups).toMatchObject([
    { group: 'mail', rows: 30, harmful: 15, flagged: 15, few: false, macroF1: 1, auc: 1 },
    {
      group: 'chat',
      rows: 3,
      harmful: 1,
      flagged: 2,
      few: true,
      auc: 0.5,
      falsePositiveRate: 0.5,
      recall: 1,
    },
    { group: 'forum', rows: 1, harmful: 1, flagged: 1, few: true, auc: undefined, macroF1: undefined },
  ]);
});

test('without a group field there are no groups', () => {
  expect(evaluate([row('1', 0.9, 1)], { threshold: 0.5, resamples: 0 }).groups).toBeUndefined();
});

test('lists the most confident mistakes by key', () => {
  const rows = [
    row('right', 0.9, 1),
    row('flagged', 0.6, 0),
    row('flagged more', 0.99, 0),
    row('missed', 0.4, 1),
    row('missed more', 0.1, 1),
    row('at the threshold', 0.5, 0),
  ];
  expect(evaluate(rows, { threshold: 0.5, resamples: 0 }).mistakes).toEqual({
    falsePositives: [
      { key: 'flagged more', score: 0.99 },
      { key: 'flagged', score: 0.6 },
      { key: 'at the threshold', score: 0.5 },
    ],
    falseNegatives: [
      { key: 'missed more', score: 0.1 },
      { key: 'missed', score: 0.4 },
    ],
  });
});

test('a single class gets the measures that are defined, and none is NaN', () => {
  const evaluation = evaluate([row('1', 0.9, 1), row('2', 0.3, 1)], { threshold: 0.5, resamples: 50 });
  expect(evaluation.measures).toMatchObject({
    recall: 0.5,
    precision: 1,
    auc: undefined,
    macroF1: undefined,
  });
  expect(JSON.stringify({ ...evaluation, tally: undefined })).not.toContain('null');
});

test.each([Number.NaN, -0.1, 1.1, Number.POSITIVE_INFINITY])('rejects a score of %d', (score) => {
  expect(() => evaluate([row('1', score, 1)], { threshold: 0.5 })).toThrow(/from 0 to 1 was expected/);
});
