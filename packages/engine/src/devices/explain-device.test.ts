import { expect, test } from 'vitest';
import { type CudaFacts, unfoundIn } from './cuda-libraries.js';
import { cudaProblem, deviceProblem } from './explain-device.js';

const READY: CudaFacts = {
  platform: true,
  driver: true,
  provider: true,
  providerFile: '/somewhere/libonnxruntime_providers_cuda.so',
  missing: [],
};

test.each<[string, Partial<CudaFacts>, string, string]>([
  ['another platform', { platform: false, driver: false }, 'no CUDA build for', '--device cpu'],
  ['no driver', { driver: false, provider: false }, 'no NVIDIA driver', 'nvidia-smi'],
  [
    'onnxruntime-node without CUDA',
    { provider: false },
    'CUDA library is not installed (/somewhere/',
    'ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node',
  ],
  [
    'CUDA or cuDNN missing',
    { missing: ['libcublasLt.so.12', 'libcudnn.so.9'] },
    'libcublasLt.so.12, libcudnn.so.9',
    'CUDA 12 and cuDNN 9',
  ],
])('%s: what is missing, and what to do', (_what, facts, problem, hint) => {
  const found = cudaProblem({ ...READY, ...facts });
  expect(found?.problem).toContain(problem);
  expect(found?.hint).toContain(hint);
});

test('what files do not tell is what onnxruntime says', () => {
  expect(cudaProblem(READY)).toBeUndefined();
  const cuda = { kind: 'cuda', index: 7 } as const;
  expect(deviceProblem(cuda, 'CUDA failure 101: invalid device ordinal\nmore', READY).problem).toBe(
    'CUDA failure 101: invalid device ordinal',
  );
  expect(deviceProblem({ kind: 'webgpu', index: 0 }, 'no adapters', READY).hint).toContain('libvulkan');
});

test('ldd', () => {
  const said =
    '\tlinux-vdso.so.1 (0x1)\n\tlibcudnn.so.9 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n\tlibcufft.so.11 => not found\n';
  expect(unfoundIn(said)).toEqual(['libcudnn.so.9', 'libcufft.so.11']);
});
