import { expect, test } from 'vitest';
import { ratesOf } from './confusion.js';

test('worked example', () => {
  const rates = ratesOf({ truePositives: 6, falsePositives: 2, falseNegatives: 3, trueNegatives: 9 });
  expect(rates).toEqual({
    precision: 6 / 8,
    recall: 6 / 9,
    falsePositiveRate: 2 / 11,
    f1Harmful: 12 / 17,
    f1Safe: 18 / 23,
    macroF1: (12 / 17 + 18 / 23) / 2,
    accuracy: 15 / 20,
  });
});

test('a class that is never predicted has F1 = 0', () => {
  const rates = ratesOf({ truePositives: 0, falsePositives: 0, falseNegatives: 3, trueNegatives: 9 });
  expect(rates).toMatchObject({ precision: undefined, recall: 0, f1Harmful: 0 });
  expect(rates.macroF1).toBe(rates.f1Safe === undefined ? undefined : rates.f1Safe / 2);
});

test.each([
  ['harmful', { truePositives: 4, falsePositives: 0, falseNegatives: 1, trueNegatives: 0 }],
  ['safe', { truePositives: 0, falsePositives: 1, falseNegatives: 0, trueNegatives: 4 }],
])('rows that are all %s have no Macro F1', (name, confusion) => {
  const { macroF1, f1Harmful, f1Safe, recall, falsePositiveRate } = ratesOf(confusion);
  expect(macroF1).toBeUndefined();
  expect(name === 'harmful' ? f1Safe : f1Harmful).toBeUndefined();
  expect(name === 'harmful' ? falsePositiveRate : recall).toBeUndefined();
});

test('rates are undefined without rows', () => {
  const none = ratesOf({ truePositives: 0, falsePositives: 0, falseNegatives: 0, trueNegatives: 0 });
  expect(Object.values(none).every((rate) => rate === undefined)).toBe(true);
});
