import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { cudaMajorOf, neededLibraries } from './cuda-libraries.js';

const isHere = process.platform === 'linux' && process.arch === 'x64';
const dir = join(
  dirname(createRequire(import.meta.url).resolve('onnxruntime-node')),
  '..',
  'bin',
  'napi-v6',
  'linux',
  'x64',
);

test.skipIf(!isHere).each(['libonnxruntime.so.1', 'onnxruntime_binding.node'])(
  '%s: what the linker wrote',
  async (name) => {
    const needed = await neededLibraries(join(dir, name));
    expect(needed).toContain('libc.so.6');
    if (name.endsWith('.node')) expect(needed).toContain('libonnxruntime.so.1');
    // The result for each library: found or not found by the loader.
    const found = execFileSync('ldd', [join(dir, name)], { encoding: 'utf8' });
    for (const library of needed) expect(found).toContain(library);
  },
);

test('a file that is no library is told', async () => {
  await expect(neededLibraries(import.meta.filename)).rejects.toThrow('is no 64-bit ELF file');
});

test.each([
  [['libcublasLt.so.13', 'libcurand.so.10', 'libcudart.so.13', 'libcuda.so.1'], 13],
  [['libcublas.so.12', 'libc.so.6'], 12],
  [['libc.so.6'], undefined],
])('of %j the CUDA version', (needed, major) => {
  expect(cudaMajorOf(needed)).toBe(major);
});
