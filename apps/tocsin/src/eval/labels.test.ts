import { expect, test } from 'vitest';
import { readLabel } from './labels.js';

test.each([1, true, '1', 'true', 'harmful', 'unsafe', 'Harmful', 'TRUE'])('%j is harmful', (value) => {
  expect(readLabel(value, 'label')).toEqual({ label: 1 });
});
test.each([0, false, '0', 'false', 'safe', 'Safe'])('%j is safe', (value) => {
  expect(readLabel(value, 'label')).toEqual({ label: 0 });
});
test.each([undefined, null])('%j is no label', (value) => {
  expect(readLabel(value, 'label')).toEqual({ absent: true });
});
test.each([2, -1, 0.5, 'yes', '', ' 1', 'toxic', [1], { is: 1 }])('%j is a fault, not a guess', (value) => {
  expect(readLabel(value, 'verdict')).toEqual({ fault: expect.stringContaining('label field "verdict" is') });
});
test('a string that is no label is not repeated', () => {
  expect(JSON.stringify(readLabel('a text of somebody', 'label'))).not.toContain('somebody');
});
test.each([
  ['toxic', 1],
  ['benign', 0],
  ['1', 0],
  [1, 0],
])('with --positive toxic, %j is %i', (value, label) => {
  expect(readLabel(value, 'label', 'toxic')).toEqual({ label });
});
test('--positive takes a number or a truth value as it is written', () => {
  expect(readLabel(2, 'label', '2')).toEqual({ label: 1 });
  expect(readLabel(false, 'label', 'false')).toEqual({ label: 1 });
  expect(readLabel(null, 'label', 'null')).toEqual({ absent: true });
  expect(readLabel([1], 'label', '1')).toHaveProperty('fault');
});
