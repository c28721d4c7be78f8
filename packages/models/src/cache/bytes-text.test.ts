import { expect, test } from 'vitest';
import { bytesText } from './bytes-text.js';

test.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [99_960, '100 kB'],
  [999_600, '1.0 MB'],
  [92_871_040, '92.9 MB'],
  [16_060_522_496, '16.1 GB'],
  [1e17, '100 PB'],
  [1e19, '10000 PB'],
])('%d bytes are %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text);
});
