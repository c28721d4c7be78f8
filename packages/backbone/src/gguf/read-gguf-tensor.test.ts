import { truncate } from 'node:fs/promises';
import { expect, test } from 'vitest';
import type { GgufTensor } from './gguf-tensor.js';
import { readGgufTensor } from './read-gguf-tensor.js';
import type { TensorType } from './tensor-type.js';
import { encodeTensor, exact } from './testing/encode-tensor.js';
import { tempFiles } from './testing/temp-file.js';

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
