import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { deviceName, parseDevice } from './device.js';

test.each([
  ['cpu', { kind: 'cpu', index: 0 }],
  ['cuda', { kind: 'cuda', index: 0 }],
  ['cuda:3', { kind: 'cuda', index: 3 }],
  ['webgpu', { kind: 'webgpu', index: 0 }],
  ['auto', 'auto'],
])('%s', (text, device) => {
  const parsed = parseDevice(text);
  expect(parsed).toEqual(device);
  if (parsed !== 'auto') expect(parseDevice(deviceName(parsed))).toEqual(parsed);
});

test.each([
  '',
  'CPU',
  'gpu',
  'cpu:1',
  'webgpu:0',
  'cuda:',
  'cuda:x',
  'cuda:-1',
  'cuda:01',
  'cuda:1000',
  ' cpu',
])('%j is none', (text) => {
  expect(() => parseDevice(text)).toThrow(UserError);
  expect(() => parseDevice(text)).toThrow('supported are auto, cpu, cuda[:n], webgpu');
});
