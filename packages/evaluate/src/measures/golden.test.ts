import { describe, expect, test } from 'vitest';
import { drift } from '../drift/drift.js';
import { driftCases, rankingCases } from '../testing/golden.js';
import { rocCurve } from './curves.js';
import { type EvaluatedRow, evaluate } from './evaluate.js';

const TOLERANCE = 1e-9;

function expectClose(actual: number | undefined, expected: number | null, tolerance = TOLERANCE): void {
  if (expected === null) expect(actual).toBeUndefined();
  else expect(Math.abs((actual ?? Number.NaN) - expected)).toBeLessThanOrEqual(tolerance);
}

describe.each(rankingCases())('$name matches scikit-learn', (golden) => {
  const rows = golden.scores.map(
    (score, i): EvaluatedRow => ({ key: String(i), score, label: golden.labels[i] === 1 ? 1 : 0 }),
  );
  const evaluation = evaluate(rows, { threshold: golden.threshold, resamples: 0 });

  test.each([
    'macroF1',
    'f1Safe',
    'f1Harmful',
    'precision',
    'recall',
    'auc',
    'averagePrecision',
    'brier',
    'expectedCalibrationError',
  ] as const)('%s', (measure) => {
    expectClose(evaluation.measures[measure], golden[measure]);
  });

  test('the ROC curve', () => {
    const points = rocCurve(evaluation.tally) ?? [];
    expect(points.length).toBe(golden.roc.falsePositiveRates.length);
    for (const [i, { falsePositiveRate, truePositiveRate }] of points.entries()) {
      expectClose(falsePositiveRate, golden.roc.falsePositiveRates[i] ?? null);
      expectClose(truePositiveRate, golden.roc.truePositiveRates[i] ?? null);
    }
  });

  test('the best thresholds', () => {
    expectClose(evaluation.best.macroF1?.macroF1, golden.bestMacroF1);
    expectClose(evaluation.best.f1Harmful?.f1Harmful, golden.bestF1Harmful);
  });

  test('the thresholds for false-positive rates', () => {
    const found = evaluation.atFalsePositiveRates.map(({ at }) => at ?? null);
    expect(found.map((at) => at && { threshold: at.threshold, recall: at.recall })).toEqual(
      golden.atFalsePositiveRates,
    );
  });
});

describe.each(driftCases())('$name matches numpy and scipy', (golden) => {
  const rows = golden.a.map((a, i) => ({
    key: String(i),
    a,
    b: golden.b[i] ?? 0,
    label: golden.labels[i] === 1 ? (1 as const) : (0 as const),
  }));
  const measured = drift(rows, { a: 0.5, b: 0.5 });

  test('correlations and percentiles', () => {
    expectClose(measured.pearson, golden.pearson);
    expectClose(measured.spearman, golden.spearman);
    for (const [i, { difference }] of measured.percentiles.entries()) {
      expectClose(difference, golden.percentiles[i] ?? null, 1e-15);
    }
  });

  test('judgements compared', () => {
    const { onlyARight, onlyBRight, pValue } = golden;
    expect(measured.labelled?.paired).toMatchObject({ onlyARight, onlyBRight });
    expectClose(measured.labelled?.paired.pValue, pValue);
  });
});
