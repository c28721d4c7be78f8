import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { listCompiled } from './list-compiled.js';
import { openGuard } from './open-guard.js';

const temp = tempDir();

test('a compiled guard is listed by what it was compiled as, one of an older layout as such', async () => {
  const cacheDir = join(temp, 'cache');
  expect(await listCompiled(cacheDir)).toEqual([]);
  const { artifact } = goldenDirs('qwen3-mlp');
  const { fingerprint, compiled } = await openGuard(artifact, { cacheDir });
  const old = join(cacheDir, 'compiled', `${'0'.repeat(64)}-1`);
  await mkdir(old);
  await writeFile(join(old, 'guard.json'), '{"files":[]}');
  await mkdir(join(cacheDir, 'compiled', 'something-else'));
  expect(await listCompiled(cacheDir)).toEqual([
    { dir: old, fingerprint: '0'.repeat(64), guard: undefined, current: false },
    { dir: compiled.dir, fingerprint, guard: artifact, current: true },
  ]);
});
