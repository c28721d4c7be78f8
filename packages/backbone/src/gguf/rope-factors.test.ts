import { expect, test } from 'vitest';
import { llama3RopeScaling } from './rope-factors.js';

/** As the converter computes them from config.json, in float32. */
function factorsOf(theta: number, headDim: number, factor: number, original: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / headDim);
    if (wavelength < original / 4) return 1;
    if (wavelength > original) return factor;
    const smooth = (original / wavelength - 1) / 3;
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

test.each([8, 32])('llama3RopeScaling.finds the released parameters, factor %d', (factor) => {
  expect(llama3RopeScaling(factorsOf(500_000, 64, factor, 8192), 500_000, 64)).toEqual({
    rope_type: 'llama3',
    factor,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  });
});

test('llama3RopeScaling.is undefined for other factors', () => {
  expect(llama3RopeScaling(factorsOf(500_000, 64, 8, 4096), 500_000, 64)).toBeUndefined();
  expect(llama3RopeScaling(factorsOf(500_000, 64, 8, 8192), 10_000, 64)).toBeUndefined();
  expect(llama3RopeScaling(factorsOf(500_000, 128, 8, 8192), 500_000, 64)).toBeUndefined();
  expect(llama3RopeScaling(new Float32Array(32), 500_000, 64)).toBeUndefined();
});
