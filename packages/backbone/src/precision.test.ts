import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { DEFAULT_PRECISION, DEVICE_KINDS, numericsOf, PRECISIONS } from './precision.js';

test.each([
  ['cpu', { float32: 'float32', float16: 'float32', bfloat16: 'float32', int8: 'float32', int4: 'float32' }],
  ['cuda', { float16: 'float16', bfloat16: 'bfloat16', int8: 'bfloat16', int4: 'bfloat16' }],
  ['webgpu', { float32: 'float32', float16: 'float16', int8: 'float32', int4: 'float32' }],
] as const)('what %s computes in', (device, expected) => {
  for (const precision of PRECISIONS) {
    const arithmetic = (expected as Record<string, string>)[precision];
    if (arithmetic === undefined) expect(() => numericsOf(precision, device)).toThrow(UserError);
    else expect(numericsOf(precision, device)).toEqual({ weights: precision, arithmetic, device });
  }
});

test('what a device does not do is told with what it does', () => {
  expect(() => numericsOf('float32', 'cuda')).toThrow('float16 and bfloat16 only');
  expect(() => numericsOf('bfloat16', 'webgpu')).toThrow('webgpu has no bfloat16');
});

test.each(DEVICE_KINDS)('%s has a default that it does', (device) => {
  expect(numericsOf(DEFAULT_PRECISION[device], device).device).toBe(device);
});
