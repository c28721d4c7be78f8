import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bothClasses } from '../testing/arbitraries.js';
import { bestThreshold, confusionAt, sweep, thresholdsAtRates } from './confusion.js';
import { labelled, tallyOf } from './tally.js';

test('every distinct score is a threshold, with its confusion', () => {
  fc.assert(
    fc.property(bothClasses, (rows) => {
      const points = [...sweep(tallyOf(rows))];
      expect(points.map(({ threshold }) => threshold)).toEqual(
        [...new Set(rows.scores)].sort((a, b) => b - a),
      );
      for (const { threshold, confusion } of points) {
        const count = (label: number, flagged: boolean): number =>
          rows.scores.filter((score, i) => rows.labels[i] === label && score >= threshold === flagged).length;
        expect(confusion).toEqual({
          truePositives: count(1, true),
          falsePositives: count(0, true),
          falseNegatives: count(1, false),
          trueNegatives: count(0, false),
        });
        expect(confusionAt(tallyOf(rows), threshold)).toEqual(confusion);
      }
    }),
  );
});

test('no threshold beats the best one; ties go to the highest', () => {
  fc.assert(
    fc.property(bothClasses, (rows) => {
      const tally = tallyOf(rows);
      const best = bestThreshold(tally, 'macroF1');
      for (const { threshold, macroF1 = 0 } of sweep(tally)) {
        expect(macroF1).toBeLessThanOrEqual(best?.macroF1 ?? -1);
        if (macroF1 === best?.macroF1) expect(threshold).toBeLessThanOrEqual(best.threshold);
      }
    }),
  );
});

test('a rate limit gives the lowest threshold that respects it', () => {
  // Safe rows at 0.9, 0.5, 0.3, 0.1; harmful ones at 0.8, 0.5, 0.4.
  const rows = labelled([0.9, 0.8, 0.5, 0.5, 0.4, 0.3, 0.1], [0, 1, 1, 0, 1, 0, 0]);
  const found = thresholdsAtRates(tallyOf(rows), [0, 0.25, 0.5, 0.6, 1]);
  expect(found.map(({ limit, at }) => [limit, at?.threshold, at?.recall])).toEqual([
    [0, undefined, undefined],
    [0.25, 0.8, 1 / 3],
    [0.5, 0.4, 1],
    [0.6, 0.4, 1],
    [1, 0.1, 1],
  ]);
});

test('without safe rows there is no false-positive rate and no Macro F1', () => {
  const tally = tallyOf(labelled([0.2, 0.8], [1, 1]));
  expect(thresholdsAtRates(tally, [0.1])).toEqual([{ limit: 0.1, at: undefined }]);
  expect(bestThreshold(tally, 'macroF1')).toBeUndefined();
  expect(bestThreshold(tally, 'f1Harmful')).toMatchObject({ threshold: 0.2, f1Harmful: 1 });
});
