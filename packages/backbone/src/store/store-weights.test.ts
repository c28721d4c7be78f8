import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { float32OfBfloat16, float32OfFloat16 } from '@tocsin/siren';
import { tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { openCheckpoint } from '../checkpoint/checkpoint.js';
import { isLinearWeight } from '../checkpoint/tensor-plan.js';
import { isQuantized, type PlacedTensor } from '../checkpoint/weight-source.js';
import { openGguf } from '../gguf/open-gguf.js';
import { numericsOf, PRECISIONS } from '../precision.js';
import { blockFormatOf } from '../quantize.js';
import { dequantizeRows } from '../testing/index.js';
import { writeTinyPair } from '../testing/tiny-pair.js';
import type { ReadableTensor } from './read-slabs.js';
import { storeWeights } from './store-weights.js';

const temp = tempDir();
const fresh = (): Promise<string> => mkdtemp(join(temp, 'x-'));

async function tinyTensors(): Promise<ReadonlyMap<string, ReadableTensor>> {
  const { checkpoint } = await writeTinyPair(await fresh(), 'qwen3', 'F32');
  return (await openCheckpoint(checkpoint)).tensors;
}

test.each(PRECISIONS)(
  '%s: written in small slabs or in one, it is the same file, and the only one',
  async (precision) => {
    const tensors = await tinyTensors();
    const [whole, slabs] = [await fresh(), await fresh()];
    await storeWeights(tensors, whole, numericsOf(precision, 'cpu'));
    await storeWeights(tensors, slabs, numericsOf(precision, 'cpu'), 64);
    expect(await readdir(slabs)).toEqual(['weights-0.safetensors']);
    const [expected, actual] = await Promise.all(
      [whole, slabs].map((dir) => readFile(join(dir, 'weights-0.safetensors'))),
    );
    expect(actual?.equals(expected ?? Buffer.of())).toBe(true);
  },
);

test.each([
  ['float16', 2 ** -11, float32OfFloat16],
  ['bfloat16', 2 ** -8, float32OfBfloat16],
] as const)('%s: every weight to within its rounding', async (precision, rounding, decode) => {
  const tensors = await tinyTensors();
  const dir = await fresh();
  const stored = await storeWeights(tensors, dir, numericsOf(precision, 'cpu'));
  const file = await readFile(join(dir, 'weights-0.safetensors'));
  for (const [name, tensor] of stored) {
    if (isQuantized(tensor)) throw new Error(`${name} was quantized`);
    const original = await floatsOf(tensors, name);
    const values = decode(bytesOf(file, tensor));
    for (const [i, value] of values.entries()) {
      expect(Math.abs(value - (original[i] ?? 0))).toBeLessThanOrEqual(Math.abs(original[i] ?? 0) * rounding);
    }
  }
});

test.each([
  ['int8', 'cpu', 0.005],
  ['int4', 'cpu', 0.09],
  ['int4', 'cuda', 0.09],
] as const)(
  '%s on %s: the linear layers as integers, the embedding in half, norms as they were',
  async (precision, device, drift) => {
    const tensors = await tinyTensors();
    const dir = await fresh();
    const numerics = numericsOf(precision, device);
    const stored = await storeWeights(tensors, dir, numerics);
    const file = await readFile(join(dir, 'weights-0.safetensors'));
    const floats = (tensor: PlacedTensor): Float32Array =>
      new Float32Array(Uint8Array.from(bytesOf(file, tensor)).buffer);
    for (const [name, tensor] of stored) {
      const original = await floatsOf(tensors, name);
      expect(isQuantized(tensor), name).toBe(isLinearWeight(name));
      if (!isQuantized(tensor)) {
        expect(tensor.dtype, name).toBe(name === 'model.embed_tokens.weight' ? 'F16' : 'F32');
        if (tensor.dtype === 'F32') expect(floats(tensor)).toEqual(original);
        continue;
      }
      const { codes, scales, zeroPoints, format, shape } = tensor;
      expect(format).toEqual(blockFormatOf(numerics, 'F32'));
      const packed = zeroPoints !== undefined && Uint8Array.from(bytesOf(file, zeroPoints));
      const back = dequantizeRows(
        {
          codes: Uint8Array.from(bytesOf(file, codes)),
          scales: floats(scales),
          zeroPoints:
            zeroPoints === undefined || packed === false
              ? undefined
              : zeroPoints.dtype === 'F32'
                ? new Float32Array(packed.buffer)
                : packed,
        },
        shape[1],
        format,
      );
      const squares = (values: Float32Array): number => values.reduce((sum, value) => sum + value * value, 0);
      const error = back.map((value, i) => value - (original[i] ?? 0));
      expect(Math.sqrt(squares(error) / squares(original)), name).toBeLessThan(drift);
    }
  },
);

test('weights that float16 cannot hold are told by tensor, with what to do', async () => {
  const { gguf } = await writeTinyPair(await fresh(), 'llama', 'F32');
  const [tensor] = (await openGguf(gguf)).tensors.values();
  if (tensor === undefined) throw new Error('the model has tensors');
  const file = await readFile(gguf);
  file.writeFloatLE(1e6, tensor.offset);
  await writeFile(gguf, file);
  const storing = storeWeights(new Map([[tensor.name, tensor]]), await fresh(), numericsOf('float16', 'cpu'));
  await expect(storing).rejects.toBeInstanceOf(UserError);
  await expect(storing).rejects.toThrow(`${gguf}: tensor ${tensor.name}: 1000000 is beyond float16`);
});

test('int4: the first weight that is no number is told by tensor, whatever other threads find', async () => {
  const { gguf } = await writeTinyPair(await fresh(), 'llama', 'F32');
  const linear = [...(await openGguf(gguf)).tensors.values()].filter(({ name }) => isLinearWeight(name));
  const [first] = linear;
  if (first === undefined) throw new Error('the model has linear layers');
  const file = await readFile(gguf);
  for (const { offset } of linear) file.writeFloatLE(Number.NaN, offset);
  await writeFile(gguf, file);
  const tensors = new Map(linear.map((tensor) => [tensor.name, tensor]));
  const storing = storeWeights(tensors, await fresh(), numericsOf('int4', 'cpu'), 64);
  await expect(storing).rejects.toBeInstanceOf(UserError);
  await expect(storing).rejects.toThrow(`${gguf}: tensor ${first.name}: a weight is no finite number`);
});

const bytesOf = (file: Buffer, { offset, byteLength }: PlacedTensor): Buffer =>
  file.subarray(offset, offset + byteLength);

async function floatsOf(tensors: ReadonlyMap<string, ReadableTensor>, name: string): Promise<Float32Array> {
  const tensor = tensors.get(name);
  if (tensor === undefined) throw new Error(`${name} is missing`);
  const file = await readFile(tensor.file);
  return new Float32Array(Uint8Array.from(bytesOf(file, { ...tensor, location: '' })).buffer);
}
