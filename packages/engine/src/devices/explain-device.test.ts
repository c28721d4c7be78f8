import { expect, test } from 'vitest';
import { type CudaFacts, unfoundIn } from './cuda-libraries.js';
import { cudaProblem, deviceProblem } from './explain-device.js';

const READY: CudaFacts = {
  platform: true,
  driver: true,
  provider: true,
  providerFile: '/somewhere/libonnxruntime_providers_cuda.so',
  version: '1.30.0',
  cudaMajor: 13,
  missing: [],
  otherVersions: [],
};

test.each<[string, Partial<CudaFacts>, string, string]>([
  ['another platform', { platform: false, driver: false }, 'no CUDA build for', '--device cpu'],
  ['no driver', { driver: false, missing: ['libcuda.so.1'] }, 'there is no NVIDIA driver', 'nvidia-smi'],
  [
    'neither library nor driver',
    { driver: false, provider: false },
    'CUDA library is not installed',
    'two commands',
  ],
  [
    'onnxruntime-node without CUDA',
    { provider: false },
    'CUDA library is not installed (/somewhere/',
    "Python's onnxruntime-gpu 1.30.0",
  ],
  [
    'another CUDA than the one that is wanted',
    { missing: ['libcublasLt.so.13', 'libcudart.so.13', 'libcuda.so.1'], otherVersions: ['libcudart.so.12'] },
    'CUDA library (built for CUDA 13) does not find libcublasLt.so.13, libcudart.so.13; found libcudart.so.12',
    'CUDA 13 and cuDNN 9',
  ],
])('%s: what is missing, and what to do', (_what, facts, problem, hint) => {
  const found = cudaProblem({ ...READY, ...facts });
  expect(found?.problem).toContain(problem);
  expect(found?.hint).toContain(hint);
});

const cuda = { kind: 'cuda', index: 7 } as const;

test.each<[said: string, Partial<CudaFacts>, problem: string]>([
  [
    'CUDA failure 101: invalid device ordinal ; GPU=-1 ; hostname=h\nmore',
    {},
    'there is no GPU with the number 7',
  ],
  [
    'Failed to load library libonnxruntime_providers_cuda.so with error: libcublasLt.so.13: cannot open shared object file: No such file or directory',
    // Only the loader knows its own search paths.
    { driver: false },
    "onnxruntime's CUDA library (built for CUDA 13) does not find libcublasLt.so.13",
  ],
  [
    'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=0',
    {},
    'the NVIDIA driver is too old for CUDA 13',
  ],
  ['CUDA failure 100: no CUDA-capable device is detected', {}, 'CUDA finds no GPU on this machine'],
  [
    'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    { driver: false, provider: false },
    "onnxruntime-node's CUDA library is not installed (/somewhere/libonnxruntime_providers_cuda.so); there is no NVIDIA driver either",
  ],
  ['CUDA failure 999: unknown error\nmore', {}, 'CUDA failure 999: unknown error'],
])('what onnxruntime says comes before what files tell: %s', (said, facts, problem) => {
  expect(deviceProblem(cuda, said, { ...READY, ...facts }).problem).toContain(problem);
});

test('without a word of onnxruntime nothing is wrong; WebGPU needs a driver', () => {
  expect(cudaProblem(READY)).toBeUndefined();
  expect(deviceProblem({ kind: 'webgpu', index: 0 }, 'no adapters', READY).hint).toContain('libvulkan');
});

test('ldd', () => {
  const said =
    '\tlinux-vdso.so.1 (0x1)\n\tlibcudnn.so.9 => not found\n\tlibc.so.6 => /lib/libc.so.6 (0x2)\n\tlibcufft.so.11 => not found\n';
  expect(unfoundIn(said)).toEqual(['libcudnn.so.9', 'libcufft.so.11']);
});
