import { describe, expect, test } from 'vitest';
import { randomBelow } from '../intervals/sampling.js';
import { labelled, tallyOf } from '../measures/tally.js';
import { calibrationReport } from '../report/index.js';
import { sigmoidCases, wilsonCases } from '../testing/golden.js';
import { type CalibrationFit, type CalibrationRow, calibrate } from './calibration-fit.js';
import { calibrated, fitPlatt, logitOf, sigmoid } from './platt.js';
import { thresholdFor, wilson } from './wanted-rate.js';

describe.each(sigmoidCases())('scikit-learn, $name', ({ scores, labels, slope, offset, sklearn }) => {
  const fit = fitPlatt(scores.map(logitOf), labels);
  test('the optimum is the same', () => {
    expect(fit.slope).toBeCloseTo(slope, 6);
    expect(fit.offset).toBeCloseTo(offset, 6);
  });
  test('its scores are the same', () => {
    for (const score of scores) expect(calibrated(score, fit)).toBeCloseTo(calibrated(score, sklearn), 3);
  });
});

test.each(wilsonCases())("scipy's interval of $count in $of", ({ count, of, low, high }) => {
  expect(wilson(count, of).low).toBeCloseTo(low, 12);
  expect(wilson(count, of).high).toBeCloseTo(high, 12);
});

test('scores of 0 and 1 have a finite logit, and keep their order', () => {
  expect(calibrated(0, { slope: 2, offset: 1 })).toBeGreaterThan(0);
  expect(calibrated(1, { slope: 0.1, offset: 0 })).toBeLessThan(1);
  expect(logitOf(0)).toBe(-logitOf(1));
});

/** Rows of a head whose logits are `factor` times too large. */
function overconfident(count: number, factor = 4, seed = 7): CalibrationRow[] {
  const below = randomBelow(seed);
  const uniform = (): number => below(2 ** 32) / 2 ** 32;
  return Array.from({ length: count }, (_, i) => {
    const logit = 8 * (uniform() - 0.5);
    const label = uniform() < sigmoid(logit) ? 1 : 0;
    return { key: String(i), content: `text ${i}`, score: sigmoid(factor * logit + 2), label };
  });
}

function fitted(
  rows: readonly CalibrationRow[],
  wanted?: Parameters<typeof calibrate>[1]['wanted'],
): CalibrationFit {
  const fit = calibrate(rows, { threshold: 0.5, wanted });
  if ('kind' in fit) throw new Error(fit.kind);
  return fit;
}

test('the calibration error on held-out rows is at most half of before', () => {
  const { before, after, folds, slope } = fitted(overconfident(1000));
  const errors = [before, after].map(({ measures }) => measures.expectedCalibrationError ?? Number.NaN);
  expect(errors[1]).toBeLessThanOrEqual((errors[0] ?? 0) / 2);
  expect(slope).toBeCloseTo(1 / 4, 1);
  expect(folds.error.after.low).toBeLessThanOrEqual(folds.error.after.high);
});

test('the order of the rows changes nothing', () => {
  const rows = overconfident(200);
  const { slope, offset, folds, after } = fitted(rows);
  const back = fitted(rows.toReversed());
  expect(back.slope).toBeCloseTo(slope, 8);
  expect(back.offset).toBeCloseTo(offset, 8);
  expect(back.folds.error.after.high).toBeCloseTo(folds.error.after.high, 6);
  expect(back.after.measures.auc).toBeCloseTo(after.measures.auc ?? 0, 6);
});

test('the mapped threshold flags the same rows', () => {
  const rows = overconfident(300);
  const fit = fitted(rows);
  for (const { score } of rows) {
    expect(calibrated(score, fit) >= fit.threshold.after).toBe(score >= fit.threshold.before);
  }
});

test('separated classes have a finite fit', () => {
  const rows = Array.from({ length: 80 }, (_, i): CalibrationRow => {
    return { key: String(i), content: String(i), score: i < 40 ? 0.2 : 0.8, label: i < 40 ? 0 : 1 };
  });
  const { slope, after } = fitted(rows);
  expect(slope).toBeLessThan(10);
  expect(after.measures.expectedCalibrationError).toBeLessThan(0.05);
});

test('a wanted precision or recall is reached, by the threshold that costs least', () => {
  const rows = overconfident(500);
  for (const measure of ['precision', 'recall'] as const) {
    const { wanted } = fitted(rows, { measure, value: 0.9 });
    if (wanted === undefined) throw new Error('no threshold');
    expect(wanted[measure].value).toBeGreaterThanOrEqual(0.9);
    expect(wanted[measure].low).toBeLessThan(wanted[measure].value);
  }
  const tally = tallyOf(labelled([0.9, 0.8, 0.7, 0.6, 0.5], [1, 0, 1, 1, 0]));
  expect(thresholdFor(tally, { measure: 'precision', value: 0.7 })).toMatchObject({
    flagged: 4,
    threshold: (0.6 + 0.5) / 2,
  });
  expect(thresholdFor(tally, { measure: 'recall', value: 0.6 })).toMatchObject({
    flagged: 3,
    threshold: (0.7 + 0.6) / 2,
  });
  const none = tallyOf(labelled([0.9, 0.8], [0, 1]));
  expect(thresholdFor(none, { measure: 'precision', value: 0.9 })).toEqual({ highest: 0.5 });
});

describe('refused', () => {
  const rows = overconfident(400);
  const only = (label: 0 | 1): CalibrationRow[] => rows.filter((row) => row.label === label);
  const problem = (some: readonly CalibrationRow[]): unknown => calibrate(some, { threshold: 0.5 });

  test('one class', () => expect(problem(only(1))).toEqual({ kind: 'one class', label: 1 }));
  test('too few rows of a class, with the number that is missing', () => {
    const few = [...only(0), ...only(1).slice(0, 12)];
    expect(problem(few)).toMatchObject({ kind: 'too few', harmful: 12, needed: { harmful: 18, safe: 0 } });
  });
  test('one text many times', () => {
    expect(problem(rows.map((row) => ({ ...row, content: String(row.label) })))).toMatchObject({
      kind: 'too few',
      needed: { harmful: 29, safe: 29 },
    });
  });
  test('labels the other way round', () => {
    const inverted = rows.map((row): CalibrationRow => ({ ...row, label: row.label === 1 ? 0 : 1 }));
    expect(problem(inverted)).toMatchObject({ kind: 'no order' });
  });
});

test('the report shows both reliability plots', () => {
  const page = calibrationReport(
    fitted(overconfident(300), { measure: 'recall', value: 0.9 }),
    [],
    ['a <note>'],
  );
  expect(page).toContain('Calibration before');
  expect(page).toContain('Calibration after');
  expect(page).toContain('a &lt;note&gt;');
  expect(page).toContain('Threshold for a recall of 90 %');
  expect(page.match(/<svg /g)).toHaveLength(4);
});
