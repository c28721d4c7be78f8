import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { float32OfBfloat16, float32OfFloat16 } from '@tocsin/siren';
import { tempDir } from '@tocsin/siren/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readSafetensorsFile } from '../checkpoint/checkpoint.js';
import { encodeFloats, TensorFile } from './tensor-file.js';

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
  await expect(file.append('other', new Uint8Array(1))).rejects.toThrow('has no tensor other');
  await expect(file.close()).rejects.toThrow('was not written whole');
});

const ALL_CODES = Uint16Array.from({ length: 65_536 }, (_, code) => code);
const allBytes = new Uint8Array(ALL_CODES.buffer);
const floats = fc.float({ noNaN: true, noDefaultInfinity: true });

const DECODE = { F16: float32OfFloat16, BF16: float32OfBfloat16 };

test.each(['F16', 'BF16'] as const)('every finite %s comes back as it was', (type) => {
  const values = DECODE[type](allBytes);
  const finite = ALL_CODES.filter((code) => Number.isFinite(values[code]));
  const encoded = encodeFloats(values.filter(Number.isFinite), type);
  expect(new Uint16Array(encoded.buffer)).toEqual(finite);
});

test.each(['F16', 'BF16'] as const)(
  '%s: the nearest there is, the even one of two that are as near',
  (type) => {
    const of = (code: number): number => DECODE[type](new Uint8Array(Uint16Array.of(code).buffer))[0] ?? 0;
    fc.assert(
      fc.property(floats, (value) => {
        fc.pre(type === 'BF16' ? Math.abs(value) < 3.38e38 : Math.abs(value) < 65_504);
        const [code = 0] = new Uint16Array(encodeFloats(Float32Array.of(value), type).buffer);
        const error = Math.abs(of(code) - value);
        for (const neighbour of [code - 1, code + 1].filter((one) => (one & 0x7fff) !== 0x7fff && one >= 0)) {
          const other = Math.abs(of(neighbour) - value);
          if (Number.isNaN(other)) continue;
          expect(error).toBeLessThanOrEqual(other);
          if (error === other && of(neighbour) !== of(code)) expect(code & 1).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  },
);

test('what float16 cannot hold is no float16', () => {
  expect(() => encodeFloats(Float32Array.of(1, -70_000), 'F16')).toThrow('-70000 is beyond float16');
  expect(() => encodeFloats(Float32Array.of(65_520), 'F16')).toThrow(RangeError);
  expect(() => encodeFloats(Float32Array.of(65_519, -65_504), 'F16')).not.toThrow();
});

test('float32 is its own bytes', () => {
  expect(encodeFloats(Float32Array.of(1, -2.5), 'F32')).toEqual(
    new Uint8Array(Float32Array.of(1, -2.5).buffer),
  );
});
