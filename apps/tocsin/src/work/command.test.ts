import { expect, test } from 'vitest';
import { devices } from './command.js';

test('devices with commas between them', () => {
  expect(devices('cuda:0, cuda:1')).toEqual(['cuda:0', 'cuda:1']);
  expect(devices('cpu,cpu')).toEqual(['cpu', 'cpu']);
});

test.each(['', 'cpu,', 'tpu', 'cpu;cpu'])('%j is refused', (text) => {
  expect(() => devices(text)).toThrow('Expected a comma-separated list of devices');
});
