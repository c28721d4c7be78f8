import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thresholdAfter } from './threshold-keys.js';

test('keys move a threshold as they move any slider', () => {
  expect(thresholdAfter('ArrowRight', false, 0.5)).toBe(0.51);
  expect(thresholdAfter('ArrowLeft', true, 0.5)).toBe(0.499);
  expect(thresholdAfter('PageUp', false, 0.5)).toBe(0.6);
  expect(thresholdAfter('Home', false, 0.5)).toBe(0);
  expect(thresholdAfter('End', false, 0.5)).toBe(1);
  expect(thresholdAfter('a', false, 0.5)).toBeUndefined();
});

test('no key leaves the range, and steps do not add up to digits nobody asked for', () => {
  const key = fc.constantFrom('ArrowRight', 'ArrowLeft', 'PageUp', 'PageDown');
  fc.assert(
    fc.property(fc.array(fc.tuple(key, fc.boolean())), (presses) => {
      let threshold = 0.5;
      for (const [pressed, shift] of presses)
        threshold = thresholdAfter(pressed, shift, threshold) ?? Number.NaN;
      expect(threshold).toBeGreaterThanOrEqual(0);
      expect(threshold).toBeLessThanOrEqual(1);
      expect(String(threshold).length).toBeLessThanOrEqual(6);
    }),
  );
});
