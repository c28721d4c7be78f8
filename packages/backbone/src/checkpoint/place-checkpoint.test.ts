import { existsSync, statSync } from 'node:fs';
import { copyFile, cp, mkdir, readdir, readFile, stat, symlink, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenDirs, readTensors, tempDir } from '@tocsin/siren/testing';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { writeTinyPair } from '../testing/tiny-pair.js';
import { openCheckpoint } from './checkpoint.js';
import { placeCheckpoint, placeGguf } from './place-checkpoint.js';

/** Error code for link() to fail with, for cases that this machine's file systems do not produce. */
const linkError = vi.hoisted(() => ({ code: undefined as string | undefined }));
vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof import('node:fs/promises')>();
  return {
    ...real,
    link: (from: string, to: string) =>
      linkError.code === undefined
        ? real.link(from, to)
        : Promise.reject(Object.assign(new Error(`${linkError.code}: no link`), { code: linkError.code })),
  };
});

const SINGLE = 'model.safetensors';
const temp = tempDir();
const checkpoint = join(temp, 'checkpoint');
const sharded = join(temp, 'sharded');
/** A directory on another file system than `temp`, if this machine has one. */
const otherFileSystem =
  existsSync('/dev/shm') && statSync('/dev/shm').dev !== statSync(temp).dev ? tempDir('/dev/shm') : undefined;

beforeAll(async () => {
  await cp(goldenDirs('llama-residual').backbone, checkpoint, { recursive: true });
  await cp(goldenDirs('llama31-ropescaled').backbone, sharded, { recursive: true });
});

async function fresh(name: string, parent = temp): Promise<string> {
  const dir = join(parent, name);
  await mkdir(dir);
  return dir;
}

test('weights are linked, not copied, and every tensor is where the checkpoint has it', async () => {
  const target = await fresh('linked');
  const { config, tensors } = await placeCheckpoint(checkpoint, target, ({ numLayers }) => numLayers - 1);
  const [placed, original] = await Promise.all([
    stat(join(target, 'weights-0.safetensors')),
    stat(join(checkpoint, SINGLE)),
  ]);
  expect([placed.ino, placed.dev]).toEqual([original.ino, original.dev]);
  const opened = await openCheckpoint(checkpoint);
  expect(config).toEqual(opened.config);
  for (const [name, tensor] of tensors) {
    const { dtype, shape, offset, byteLength } = opened.tensors.get(name) ?? {};
    expect(tensor).toEqual({ dtype, shape, offset, byteLength, location: 'weights-0.safetensors' });
  }
});

test('a link to the weights, as hub caches have them, is followed to the file', async () => {
  const hub = await fresh('hub');
  await cp(checkpoint, hub, { recursive: true, filter: (file) => !file.endsWith(SINGLE) });
  await symlink(join(checkpoint, SINGLE), join(hub, SINGLE));
  const target = await fresh('from-hub');
  await placeCheckpoint(hub, target, () => 0);
  expect((await stat(join(target, 'weights-0.safetensors'))).ino).toBe(
    (await stat(join(checkpoint, SINGLE))).ino,
  );
});

test('of shards, those are placed that hold what is read', async () => {
  const all = await fresh('all-shards');
  const { tensors } = await placeCheckpoint(sharded, all, () => 3);
  expect((await readdir(all)).sort()).toEqual(['weights-0.safetensors', 'weights-1.safetensors']);
  const floats = [...tensors.values()].flatMap((tensor) => ('location' in tensor ? [tensor] : []));
  expect(floats).toHaveLength(tensors.size);
  expect(new Set(floats.map(({ location }) => location)).size).toBe(2);
  for (const [name, { file, offset, byteLength }] of (await openCheckpoint(sharded)).tensors) {
    const placed = tensors.get(name);
    if (placed === undefined || !('location' in placed)) continue;
    const [from, to] = [await readFile(file), await readFile(join(all, placed.location))];
    const bytes = to.subarray(placed.offset, placed.offset + placed.byteLength);
    expect(bytes.equals(from.subarray(offset, offset + byteLength)), name).toBe(true);
  }
});

test('weights on another file system are copied', async () => {
  if (otherFileSystem === undefined) linkError.code = 'EXDEV';
  await copies(await fresh('copied', otherFileSystem));
});

test.each(['EPERM', 'EMLINK', 'ENOTSUP'])(
  'weights are copied where a link is refused with %s',
  async (code) => {
    linkError.code = code;
    await copies(await fresh(`copied-${code}`));
  },
);

test('any other error of a link is passed on', async () => {
  linkError.code = 'EIO';
  const placing = placeCheckpoint(checkpoint, await fresh('no-disk'), () => 0).finally(() => {
    linkError.code = undefined;
  });
  await expect(placing).rejects.toMatchObject({ code: 'EIO' });
});

test('a tensor that does not fit is told before anything is placed', async () => {
  const broken = await fresh('broken');
  await cp(checkpoint, broken, { recursive: true });
  await cp(join(goldenDirs('qwen3-mlp').backbone, 'config.json'), join(broken, 'config.json'));
  const target = await fresh('nothing');
  await expect(placeCheckpoint(broken, target, () => 0)).rejects.toBeInstanceOf(UserError);
  expect(await readdir(target)).toEqual([]);
});

async function copies(target: string): Promise<void> {
  await placeCheckpoint(checkpoint, target, () => 0).finally(() => {
    linkError.code = undefined;
  });
  const copy = join(target, 'weights-0.safetensors');
  const [placed, original] = await Promise.all([stat(copy), stat(join(checkpoint, SINGLE))]);
  expect([placed.ino, placed.dev]).not.toEqual([original.ino, original.dev]);
  expect((await readFile(copy)).equals(await readFile(join(checkpoint, SINGLE)))).toBe(true);
}

describe('place gguf', () => {
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
      readTensors(await readFile(join(checkpoint, 'model.safetensors'))).map((tensor) => [
        tensor.name,
        tensor,
      ]),
    );
    for (const [name, tensor] of placed.tensors) {
      if (!('location' in tensor)) throw new Error(`${name} was quantized`);
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
});
