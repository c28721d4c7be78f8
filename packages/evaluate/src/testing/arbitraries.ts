import fc from 'fast-check';
import { type Labelled, labelled } from '../measures/tally.js';

/** Scores with one digit, so that many are equal, or arbitrary ones. */
const score = fc.oneof(
  fc.integer({ min: 0, max: 10 }).map((tenths) => tenths / 10),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

/** Rows of both classes. */
export const bothClasses: fc.Arbitrary<Labelled> = fc
  .array(fc.tuple(score, fc.constantFrom(0, 1)), { minLength: 0, maxLength: 40 })
  .chain((rows) => fc.tuple(fc.constant(rows), score, score))
  .map(([rows, harmful, safe]) => {
    const all = [...rows, [harmful, 1] as const, [safe, 0] as const];
    return labelled(
      all.map(([value]) => value),
      all.map(([, label]) => label),
    );
  });
