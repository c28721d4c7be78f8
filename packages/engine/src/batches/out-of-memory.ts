import { execFile } from 'node:child_process';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { UserError } from '@tocsin/core';
import { bytesText } from '@tocsin/models';
import { type Device, deviceName } from '../devices/device.js';

/** An allocation failed in an engine process: a smaller pass may fit. */
export class OutOfMemoryError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'OutOfMemoryError';
  }
}

/** Messages of onnxruntime, CUDA's libraries, WebGPU and Node when an allocation fails. */
const MESSAGES = [
  /failed to allocate memory/i, // onnxruntime's arenas (BFCArena) and allocators
  /available memory of \d+ is smaller than requested bytes/i, // an arena with a limit
  /bad[ _]alloc/i, // C++
  /out of memory/i, // CUDA error 2, Vulkan, Dawn, Metal
  /(CUDA error|CUDA failure|cudaError)\D{0,8}2\b/i,
  /cudaErrorMemoryAllocation/,
  /CUBLAS_STATUS_ALLOC_FAILED|CUBLAS (failure|error) 3\b/,
  /CUDNN_STATUS_\w*ALLOC\w*/,
  /OUT_?OF_?(DEVICE_|HOST_|POOL_)?MEMORY/i, // VK_ERROR_OUT_OF_DEVICE_MEMORY, E_OUTOFMEMORY
  /device (was |is )?lost/i, // WebGPU, where memory is the usual reason
  /array buffer allocation failed/i,
];

/** Whether an error message reports failed allocation. */
export const saysOutOfMemory = (message: string): boolean =>
  MESSAGES.some((pattern) => pattern.test(message));

/** A message for a model that did not fit when loaded: the memory it needs and what is free. */
export async function notEnoughMemory(
  { device, modelFile }: { device: Device; modelFile: string },
  cause: Error,
): Promise<UserError> {
  const [needed, free] = await Promise.all([weightBytes(dirname(modelFile)), freeBytes(device)]);
  const has = free === undefined ? 'how much is free is not known' : `${bytesText(free)} are free`;
  return new UserError(
    `device ${deviceName(device)} has not enough memory for this guard: its weights alone take ${bytesText(needed)}, and ${has}`,
    {
      hint: 'Stop other programs that use the device, use another device (--device), a smaller guard, or a smaller precision: --precision int8 or int4.',
      cause,
    },
  );
}

async function weightBytes(dir: string): Promise<number> {
  const names = (await readdir(dir)).filter((name) => name.startsWith('weights-'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(dir, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function freeBytes({ kind, index }: Device): Promise<number | undefined> {
  if (kind === 'cpu') return process.availableMemory();
  if (kind === 'webgpu') return undefined;
  try {
    const query = ['-i', String(index), '--query-gpu=memory.free', '--format=csv,noheader,nounits'];
    const mebibytes = Number((await promisify(execFile)('nvidia-smi', query)).stdout.trim());
    return Number.isFinite(mebibytes) ? mebibytes * 2 ** 20 : undefined;
  } catch {
    return undefined;
  }
}
