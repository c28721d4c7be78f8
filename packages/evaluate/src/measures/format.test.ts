import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bothClasses } from '../testing/arbitraries.js';
import { confusionAt, sweep } from './confusion.js';
import { thresholdText } from './format.js';
import { labelled, tallyOf } from './tally.js';

test('the written threshold flags the same rows', () => {
  fc.assert(
    fc.property(bothClasses, (rows) => {
      const tally = tallyOf(rows);
      for (const { threshold, confusion } of sweep(tally)) {
        expect(confusionAt(tally, Number(thresholdText(tally, threshold)))).toEqual(confusion);
      }
    }),
  );
});

test('writes as few digits as possible', () => {
  const tally = tallyOf(labelled([0.7512345, 0.75123, 0.123456, 1e-9], [1, 0, 1, 0]));
  const written = Array.from(tally.scores, (score) => thresholdText(tally, score));
  expect(written).toEqual(['0.751234', '0.75', '0.12', '0']);
  expect(thresholdText(tally, undefined)).toBe('–');
});
