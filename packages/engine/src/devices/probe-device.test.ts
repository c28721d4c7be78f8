import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { CPU, type Device } from './device.js';
import { probeDevice, requireDevice } from './probe-device.js';

/** A GPU index beyond those of any machine. */
const NOWHERE: Device = { kind: 'cuda', index: 999 };

test('a CPU works', async () => {
  expect(await probeDevice(CPU)).toBeUndefined();
  await requireDevice(CPU);
});

test('a device that is not there: onnxruntime says so, and a user is told what to do, each time', async () => {
  expect(await probeDevice(NOWHERE)).toEqual(expect.any(String));
  for (let i = 0; i < 2; i++) {
    await expect(requireDevice(NOWHERE)).rejects.toBeInstanceOf(UserError);
    await expect(requireDevice(NOWHERE)).rejects.toThrow('device cuda:999 is not usable: ');
  }
});
