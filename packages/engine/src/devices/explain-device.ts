import { UserError } from '@tocsin/errors';
import type { CudaFacts } from './cuda-libraries.js';
import { type Device, deviceName } from './device.js';

/** How onnxruntime-node gets its CUDA library; what .npmrc says (skip) is overridden. */
export const INSTALL_CUDA = 'ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node';

/** A problem with a device, and what to do about it. */
export interface DeviceProblem {
  problem: string;
  hint: string;
}

/** Why CUDA does not work, as far as files tell; undefined when they do not. */
export function cudaProblem(facts: CudaFacts): DeviceProblem | undefined {
  if (!facts.platform) {
    return {
      problem: `onnxruntime-node has no CUDA build for ${process.platform} on ${process.arch}`,
      hint: 'CUDA works on Linux, x64. Use --device cpu here.',
    };
  }
  if (!facts.driver) {
    return {
      problem: 'there is no NVIDIA driver on this machine (no /dev/nvidiactl)',
      hint: 'Install the driver, and in a container pass the GPU on (docker run --gpus all); nvidia-smi must list it. Or use --device cpu.',
    };
  }
  if (!facts.provider) {
    return {
      problem: `onnxruntime-node's CUDA library is not installed (${facts.providerFile})`,
      hint: `npm does not carry it. With a network: ${INSTALL_CUDA}`,
    };
  }
  if (facts.missing.length > 0) {
    return {
      problem: `libraries of CUDA are missing: ${facts.missing.join(', ')}`,
      hint: 'Install CUDA 12 and cuDNN 9, and have their directories on LD_LIBRARY_PATH.',
    };
  }
  return undefined;
}

/** Why a device does not work, when onnxruntime was tried and said `reason`. */
export function deviceProblem(device: Device, reason: string, facts: CudaFacts): DeviceProblem {
  const known = device.kind === 'cuda' ? cudaProblem(facts) : undefined;
  if (known !== undefined) return known;
  if (device.kind === 'webgpu') {
    return {
      problem: `WebGPU found nothing to run on (${firstLine(reason)})`,
      hint: 'WebGPU needs a GPU with a Vulkan driver (Linux: libvulkan.so.1 and the vendor driver), Metal or Direct3D 12. Or use --device cpu.',
    };
  }
  return { problem: firstLine(reason), hint: 'tocsin doctor shows the GPUs and libraries that are there.' };
}

export function unusable(device: Device, { problem, hint }: DeviceProblem): UserError {
  return new UserError(`device ${deviceName(device)} is not usable: ${problem}`, { hint });
}

/** onnxruntime begins with where in its sources it was; what it says comes after. */
function firstLine(reason: string): string {
  const [line = ''] = reason.trim().split('\n');
  return line.replace(/^\/\S+ .*? (?=\S+ was false\.)/, '').trim();
}
