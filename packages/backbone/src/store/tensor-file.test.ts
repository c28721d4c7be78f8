import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { readSafetensorsFile } from '../checkpoint/safetensors-file.js';
import { TensorFile } from './tensor-file.js';

const temp = tempDir();
const SPECS = [
  { name: 'codes', dtype: 'U8', shape: [3] },
  { name: 'half', dtype: 'BF16', shape: [1, 3] },
  { name: 'scales', dtype: 'F32', shape: [2] },
] as const;

test('tensors are written bit by bit, in any order, and are where the header says', async () => {
  const path = join(temp, 'whole.safetensors');
  const file = await TensorFile.create(path, SPECS);
  await file.append('codes', Uint8Array.of(1));
  await file.append('scales', Uint8Array.of(1, 2, 3, 4, 5));
  await file.append('half', Uint8Array.of(9, 8, 7, 6, 5, 4));
  await file.append('codes', Uint8Array.of(2, 3));
  await file.append('scales', Uint8Array.of(6, 7, 8));
  await file.close();
  const bytes = await readFile(path);
  const read = await readSafetensorsFile(path);
  expect([...read.keys()].sort()).toEqual(['codes', 'half', 'scales']);
  const found = [...read].map(([name, { offset, byteLength }]) => [
    name,
    [...bytes.subarray(offset, offset + byteLength)],
  ]);
  expect(Object.fromEntries(found)).toEqual({
    codes: [1, 2, 3],
    half: [9, 8, 7, 6, 5, 4],
    scales: [1, 2, 3, 4, 5, 6, 7, 8],
  });
  for (const { name, dtype } of SPECS) {
    const { offset, byteLength, location } = file.placed(name);
    expect(location).toBe('whole.safetensors');
    expect([offset, byteLength]).toEqual([read.get(name)?.offset, read.get(name)?.byteLength]);
    expect(offset % { U8: 1, BF16: 2, F32: 4 }[dtype]).toBe(0);
  }
  expect((8 + bytes.readUInt32LE(0)) % 64).toBe(0);
});

test('more or fewer bytes than planned, or another tensor, is a defect', async () => {
  const file = await TensorFile.create(join(temp, 'part.safetensors'), SPECS);
  await expect(file.append('codes', new Uint8Array(4))).rejects.toThrow('more bytes for codes');
  await expect(file.append('other', new Uint8Array(1))).rejects.toThrow('was not planned to hold other');
  await expect(file.close()).rejects.toThrow('was not written whole');
});
