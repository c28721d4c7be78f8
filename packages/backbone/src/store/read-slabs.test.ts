import { readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { openCheckpoint } from '../checkpoint/checkpoint.js';
import { readGgufTensor } from '../gguf/gguf-tensor.js';
import { openGguf } from '../gguf/open-gguf.js';
import { writeTinyPair } from '../testing/tiny-pair.js';
import { type ReadableTensor, readSlabs } from './read-slabs.js';

const temp = tempDir();

async function slabsOf(tensor: ReadableTensor, slabValues?: number): Promise<Float32Array[]> {
  const slabs: Float32Array[] = [];
  for await (const slab of readSlabs(tensor, slabValues)) slabs.push(slab.slice());
  return slabs;
}
const flatten = (slabs: Float32Array[]): number[] => slabs.flatMap((slab) => [...slab]);

test.each([
  ['llama', 'Q4_1'],
  ['llama', 'F16'],
  ['qwen3', 'Q8_0'],
  ['qwen3', 'BF16'],
] as const)('a %s of %s, in slabs of any size, is what it is as a whole', async (family, type) => {
  const { gguf } = await writeTinyPair(temp, family, type);
  for (const tensor of (await openGguf(gguf)).tensors.values()) {
    const whole = [...(await readGgufTensor(tensor))];
    const few = await slabsOf(tensor, 3 * 32);
    expect(flatten(await slabsOf(tensor)), tensor.name).toEqual(whole);
    expect(flatten(few), tensor.name).toEqual(whole);
    const isOneHead = tensor.interleavedHeads === 1;
    if (tensor.shape.length === 2 && !isOneHead) expect(few.length, tensor.name).toBeGreaterThan(1);
  }
});

test('a safetensors file too; a slab is whole rows', async () => {
  const { checkpoint } = await writeTinyPair(temp, 'llama', 'F32');
  const bytes = await readFile(join(checkpoint, 'model.safetensors'));
  for (const tensor of (await openCheckpoint(checkpoint)).tensors.values()) {
    const slabs = await slabsOf(tensor, 100);
    const whole = new Float32Array(
      Uint8Array.from(bytes.subarray(tensor.offset)).buffer,
      0,
      tensor.byteLength / 4,
    );
    expect(flatten(slabs)).toEqual([...whole]);
    const inputs = tensor.shape[1] ?? 1;
    for (const slab of slabs) expect(slab.length % inputs).toBe(0);
  }
});

test('a file that has become shorter is told', async () => {
  const { gguf } = await writeTinyPair(temp, 'qwen3', 'F32');
  const tensor = [...(await openGguf(gguf)).tensors.values()].at(-1);
  if (tensor === undefined) throw new Error('the model has tensors');
  await truncate(gguf, tensor.offset + 4);
  await expect(slabsOf(tensor)).rejects.toBeInstanceOf(UserError);
  await expect(slabsOf(tensor)).rejects.toThrow(`${gguf} ends inside tensor ${tensor.name}`);
});
