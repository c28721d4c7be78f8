import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { type OpenGuardOptions, openGuard } from './open-guard.js';

const temp = tempDir();
const cacheDir = join(temp, 'cache');
const { artifact } = goldenDirs('llama-residual');

test('an artifact directory, its config file, and a backbone given or named are one guard', async () => {
  const named = await openGuard(artifact, { cacheDir });
  const given = await openGuard(join(artifact, 'siren_config.json'), {
    cacheDir,
    backbone: goldenDirs('llama-residual').backbone,
    precision: 'float32',
  });
  expect(given.fingerprint).toBe(named.fingerprint);
  expect(given.compiled).toEqual(named.compiled);
  expect([named.ref, given.ref]).toEqual([artifact, join(artifact, 'siren_config.json')]);
});

test('another backbone of the same shape is another guard', async () => {
  const named = await openGuard(artifact, { cacheDir });
  const other = await openGuard(artifact, { cacheDir, backbone: goldenDirs('llama31-ropescaled').backbone });
  expect(other.fingerprint).not.toBe(named.fingerprint);
});

test.each<[string, string, OpenGuardOptions, string]>([
  [
    'another precision',
    artifact,
    { precision: 'int9' },
    'precision "int9" is not supported; supported are float32, float16, bfloat16, int8, int4',
  ],
  [
    'another device',
    artifact,
    { device: 'gpu' },
    'device "gpu" is not supported; supported are auto, cpu, cuda',
  ],
  [
    'float32 on cuda',
    artifact,
    { device: 'cuda', precision: 'float32' },
    'its attention takes float16 and bfloat16 only',
  ],
  ['bfloat16 on webgpu', artifact, { device: 'webgpu', precision: 'bfloat16' }, 'webgpu has no bfloat16'],
  [
    'a backbone that is not there',
    artifact,
    { backbone: '/nowhere' },
    'the backbone /nowhere does not exist',
  ],
])('%s is refused', async (_what, ref, options, message) => {
  const opening = openGuard(ref, { cacheDir, ...options });
  await expect(opening).rejects.toBeInstanceOf(UserError);
  await expect(opening).rejects.toThrow(message);
});

test('a precision has scores of its own, and so has a kind of device; float32 on a CPU is what it always was', async () => {
  const all = ['float32', 'float16', 'bfloat16', 'int8', 'int4'];
  const options = [
    ...all.map((precision) => ({ precision, device: 'cpu' })),
    { device: 'cuda' },
    { device: 'cuda', precision: 'int4' },
    { device: 'webgpu' },
  ];
  const guards = await Promise.all(options.map((option) => openGuard(artifact, { cacheDir, ...option })));
  expect(new Set(guards.map(({ fingerprint }) => fingerprint)).size).toBe(options.length);
  expect(guards.map(({ pinned }) => `${pinned.device} ${pinned.precision}`)).toEqual([
    ...all.map((precision) => `cpu ${precision}`),
    'cuda:0 bfloat16',
    'cuda:0 int4',
    'webgpu float32',
  ]);
  const second = await openGuard(artifact, { cacheDir, device: 'cuda:1' });
  expect(second.fingerprint).toBe(guards.at(5)?.fingerprint);
});

test('nothing is asked for: a device that is there, in its own precision', async () => {
  const { device, precision } = await openGuard(artifact, { cacheDir });
  expect({ kind: device.kind, precision }).toEqual(
    device.kind === 'cuda' ? { kind: 'cuda', precision: 'bfloat16' } : { kind: 'cpu', precision: 'float32' },
  );
});

test.each([
  ['float16', ['weights-0.safetensors']],
  ['int8', ['weights-0.safetensors']],
  ['int4', ['weights-0.safetensors']],
])('%s: the directory holds what it reads and nothing of the checkpoint', async (precision, weights) => {
  const { compiled } = await openGuard(artifact, { cacheDir, precision, device: 'cpu' });
  const names = await readdir(compiled.dir);
  expect(names.filter((name) => name.startsWith('weights')).sort()).toEqual(weights);
  for (const name of names) expect((await stat(join(compiled.dir, name))).nlink).toBe(1);
});

test('a cache directory that cannot be one is told, with what to do', async () => {
  const file = join(temp, 'file');
  await writeFile(file, '');
  for (const place of [file, join(file, 'below')]) {
    const opening = openGuard(artifact, { cacheDir: place });
    await expect(opening).rejects.toBeInstanceOf(UserError);
    await expect(opening).rejects.toThrow(`the cache directory ${place} cannot be used`);
    await expect(opening).rejects.toMatchObject({ hint: 'Name another one with TOCSIN_CACHE.' });
  }
});
