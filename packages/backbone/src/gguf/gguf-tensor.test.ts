import { truncate } from 'node:fs/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  BLOCKS,
  dequantize,
  type GgufTensor,
  readGgufTensor,
  type TensorType,
  undoInterleaving,
} from './gguf-tensor.js';
import { encodeTensor, exact, interleave, tempFiles } from './testing/write-gguf.js';

const write = tempFiles();
const OFFSET = 96;

async function stored(dtype: TensorType, values: number[]): Promise<GgufTensor> {
  const bytes = encodeTensor(dtype, values);
  const file = await write(Buffer.concat([Buffer.alloc(OFFSET), bytes]));
  return {
    name: 'model.norm.weight',
    ggufName: 'output_norm.weight',
    file,
    dtype,
    shape: [values.length],
    offset: OFFSET,
    byteLength: bytes.length,
    interleavedHeads: undefined,
  };
}

// More than one chunk each; blocks of 34 bytes do not divide the chunk's size.
test.each<[TensorType, number]>([
  ['F32', 1_100_000],
  ['Q8_0', 4_000_000],
])('readGgufTensor.%s is the same across chunks', async (dtype, count) => {
  const values = Array.from({ length: count }, (_, i) => exact((i * 7 + (i >> 5)) & 15));
  const read = await readGgufTensor(await stored(dtype, values));
  expect(Buffer.from(read.buffer).equals(Buffer.from(Float32Array.from(values).buffer))).toBe(true);
});

test('readGgufTensor.a file that has become shorter is a UserError', async () => {
  const tensor = await stored('F32', [1, 2, 3, 4]);
  await truncate(tensor.file, OFFSET + 7);
  await expect(readGgufTensor(tensor)).rejects.toThrow('the file ends inside tensor "output_norm.weight"');
});

test('undoInterleaving.one head of four rows', () => {
  const values = Float32Array.of(0, 0.5, 2, 2.5, 1, 1.5, 3, 3.5);
  undoInterleaving(values, 4, 1);
  expect([...values]).toEqual([0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5]);
});

test('undoInterleaving.gives back what a converter interleaved', () => {
  const size = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(size, size, size, (heads, half, columns) => {
      const rows = heads * half * 2;
      const values = Float32Array.from({ length: rows * columns }, (_, i) => i);
      const stored = interleave(values, rows, heads);
      undoInterleaving(stored, rows, heads);
      expect(stored).toEqual(values);
    }),
  );
});

const TYPES = Object.keys(BLOCKS) as TensorType[];

function read(type: TensorType, bytes: number[] | Buffer): number[] {
  const whole = Uint8Array.from(bytes);
  const out = new Float32Array((whole.length / BLOCKS[type].bytes) * BLOCKS[type].elements);
  dequantize(type, whole, out, 0);
  return [...out];
}

test.each(TYPES)('dequantize.%s gives the encoded values, from the given element on', (type) => {
  const values = Array.from({ length: 96 }, (_, i) => exact(i * 7 + (i >> 4)));
  const out = new Float32Array(32 + values.length);
  dequantize(type, Uint8Array.from(encodeTensor(type, values)), out, 32);
  expect([...out.subarray(32)]).toEqual(values);
  expect(out.subarray(0, 32).every((value) => value === 0)).toBe(true);
});

test('dequantize.half precision: subnormal, largest, infinite, negative zero, NaN', () => {
  const halves = read('F16', [0x01, 0x00, 0xff, 0x7b, 0x00, 0xfc, 0x00, 0x80, 0x01, 0x7e]);
  expect(halves).toEqual([2 ** -24, 65_504, Number.NEGATIVE_INFINITY, -0, Number.NaN]);
});

test('dequantize.BF16 is the upper half of a float32', () => {
  expect(read('BF16', [0x80, 0x3f, 0x49, 0xc0])).toEqual([1, -3.140625]);
});

test('dequantize.Q8_0 codes are signed', () => {
  const block = [0x00, 0x34, 0x80, 0x7f, ...new Array<number>(30).fill(1)];
  expect(read('Q8_0', block).slice(0, 3)).toEqual([-32, 31.75, 0.25]);
});

test('dequantize.Q4_1 low nibbles are the first half of a block', () => {
  const block = [0x00, 0x3c, 0x00, 0xc0, 0xf1, ...new Array<number>(15).fill(0)];
  const values = read('Q4_1', block);
  expect([values[0], values[1], values[16], values[17]]).toEqual([-1, -2, 13, -2]);
});
