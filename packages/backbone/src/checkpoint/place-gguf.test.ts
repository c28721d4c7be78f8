import { copyFile, mkdir, readdir, readFile, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenDirs, readTensors, tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { writeTinyPair } from '../testing/tiny-pair.js';
import { placeCheckpoint } from './place-checkpoint.js';
import { placeGguf } from './place-gguf.js';
import { isQuantized } from './weight-source.js';

const temp = tempDir();

async function fresh(name: string): Promise<string> {
  const dir = join(temp, name);
  await mkdir(dir);
  return dir;
}

test.each([
  ['llama', 'F32'],
  ['llama', 'Q4_1'],
  ['qwen3', 'BF16'],
  ['qwen3', 'Q8_0'],
] as const)('a %s of %s gives the config and the weights of its checkpoint', async (architecture, type) => {
  const { gguf, checkpoint } = await writeTinyPair(temp, architecture, type);
  const target = await fresh(`${architecture}-${type}-placed`);
  const placed = await placeGguf(gguf, target, join(target, 'tokenizer.json'), () => 1);
  const reference = await placeCheckpoint(
    checkpoint,
    await fresh(`${architecture}-${type}-reference`),
    () => 1,
  );
  expect(placed.config).toEqual(reference.config);
  expect([...placed.tensors.keys()]).toEqual([...reference.tensors.keys()]);

  const written = await readFile(join(target, 'weights-0.safetensors'));
  const expected = new Map(
    readTensors(await readFile(join(checkpoint, 'model.safetensors'))).map((tensor) => [tensor.name, tensor]),
  );
  for (const [name, tensor] of placed.tensors) {
    if (isQuantized(tensor)) throw new Error(`${name} was quantized`);
    const { location, offset, byteLength, dtype, shape } = tensor;
    expect(location).toBe('weights-0.safetensors');
    expect({ dtype, shape }).toEqual({ dtype: 'F32', shape: expected.get(name)?.shape });
    expect(
      written.subarray(offset, offset + byteLength).equals(expected.get(name)?.bytes ?? Buffer.of()),
      name,
    ).toBe(true);
  }
  expect(JSON.parse(await readFile(join(target, 'tokenizer.json'), 'utf8'))).toEqual(
    JSON.parse(await readFile(join(checkpoint, 'tokenizer.json'), 'utf8')),
  );
});

test('only what is read is written, from an aligned place on', async () => {
  const { gguf } = await writeTinyPair(temp, 'llama', 'F16');
  const target = await fresh('one-layer');
  const { tensors } = await placeGguf(gguf, target, join(target, 'tokenizer.json'), () => 0);
  const written = await readFile(join(target, 'weights-0.safetensors'));
  const names = readTensors(written).map(({ name }) => name);
  expect(names).toEqual([...tensors.keys()]);
  expect(names.some((name) => name.includes('.1.') || name === 'model.norm.weight')).toBe(false);
  expect((8 + written.readUInt32LE(0)) % 64).toBe(0);
  expect((await readdir(target)).sort()).toEqual(['tokenizer.json', 'weights-0.safetensors']);
});

test('a file that is cut short, or is none, is told before anything is written', async () => {
  const { gguf } = await writeTinyPair(temp, 'qwen3', 'F16');
  const short = join(temp, 'short.gguf');
  await copyFile(gguf, short);
  await truncate(short, 20_000);
  for (const file of [short, join(goldenDirs('qwen3-mlp').backbone, 'config.json')]) {
    const target = await fresh(`target-of-${file === short ? 'short' : 'none'}`);
    const placing = placeGguf(file, target, join(target, 'tokenizer.json'), () => 1);
    await expect(placing).rejects.toBeInstanceOf(UserError);
    await expect(placing).rejects.toThrow(file);
    expect(await readdir(target)).toEqual([]);
  }
});
