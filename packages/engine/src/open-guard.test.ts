import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/errors';
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
    { precision: 'int8' },
    'precision "int8" is not supported; supported is float32',
  ],
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
