import { existsSync, statSync } from 'node:fs';
import { cp, mkdir, readdir, readFile, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { beforeAll, expect, test, vi } from 'vitest';
import { openCheckpoint } from './open-checkpoint.js';
import { placeCheckpoint } from './place-checkpoint.js';
import { isQuantized } from './weight-source.js';

/** What link() fails with, if it is to fail: for what this machine's own file systems do not do. */
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
/** Where this machine has one: a directory on another file system than `temp`. */
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
  const floats = [...tensors.values()].flatMap((tensor) => (isQuantized(tensor) ? [] : [tensor]));
  expect(floats).toHaveLength(tensors.size);
  expect(new Set(floats.map(({ location }) => location)).size).toBe(2);
  for (const [name, { file, offset, byteLength }] of (await openCheckpoint(sharded)).tensors) {
    const placed = tensors.get(name);
    if (placed === undefined || isQuantized(placed)) continue;
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
