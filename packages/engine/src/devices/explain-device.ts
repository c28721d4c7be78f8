import { UserError } from '@tocsin/core';
import { type CudaFacts, cudaMajorOf } from './cuda-libraries.js';
import { type Device, deviceName } from './device.js';

/** A problem with a device and its remedy. */
export interface DeviceProblem {
  problem: string;
  hint: string;
}

const DRIVER_FILE = '/dev/nvidiactl';
const INSTALL_DRIVER =
  'Install the driver, and in a container pass the GPU on (docker run --gpus all); nvidia-smi must list it. Or use --device cpu.';

/**
 * Why CUDA does not work, judging by files; undefined when they show no reason. Checked in load order: the provider, the
 * libraries that it requires, the driver.
 */
export function cudaProblem(facts: CudaFacts): DeviceProblem | undefined {
  if (!facts.platform) {
    return {
      problem: `onnxruntime-node has no CUDA build for ${process.platform} on ${process.arch}`,
      hint: 'CUDA works on Linux, x64. Use --device cpu here.',
    };
  }
  if (!facts.provider) {
    return withDriver(facts, {
      problem: `onnxruntime-node's CUDA library is not installed (${facts.providerFile})`,
      hint: `npm does not carry it. The one of Python's onnxruntime-gpu ${facts.version} fits: docs/guards.md, "CUDA", has the two commands.`,
    });
  }
  // Without a driver its library is missing too.
  const missing = facts.missing.filter((name) => name !== 'libcuda.so.1');
  if (missing.length > 0) return withDriver(facts, missingLibraries(missing, facts));
  if (!facts.driver) {
    return { problem: `there is no NVIDIA driver on this machine (no ${DRIVER_FILE})`, hint: INSTALL_DRIVER };
  }
  return undefined;
}

function missingLibraries(
  missing: readonly string[],
  facts: Pick<CudaFacts, 'cudaMajor' | 'otherVersions'>,
): DeviceProblem {
  const major = facts.cudaMajor ?? cudaMajorOf(missing);
  const others = facts.otherVersions.length === 0 ? '' : `; found ${facts.otherVersions.join(', ')}`;
  const wanted = major === undefined ? '' : ` (built for CUDA ${major})`;
  return {
    problem: `onnxruntime's CUDA library${wanted} does not find ${missing.join(', ')}${others}`,
    hint: `Install CUDA${major === undefined ? '' : ` ${major}`} and cuDNN 9, and have their directories on LD_LIBRARY_PATH.`,
  };
}

/** The first cause, and whether another follows. */
function withDriver(facts: CudaFacts, { problem, hint }: DeviceProblem): DeviceProblem {
  if (facts.driver) return { problem, hint };
  return { problem: `${problem}; there is no NVIDIA driver either (no ${DRIVER_FILE})`, hint };
}

/** Messages of onnxruntime and CUDA for causes that files do not show. */
const SAID: [RegExp, (match: RegExpExecArray, device: Device, facts: CudaFacts) => DeviceProblem][] = [
  [
    /(lib[\w.+-]+\.so[\d.]*): cannot open shared object file/,
    ([, library = ''], _device, facts) => missingLibraries([library], facts),
  ],
  [
    /invalid device ordinal|(?:CUDA|cudaError)\D{0,12}101\b|Invalid.*device.?id/i,
    (_match, device) => ({
      problem: `there is no GPU with the number ${device.index}`,
      hint: 'They are counted from 0: nvidia-smi lists them, and CUDA_VISIBLE_DEVICES may hide some.',
    }),
  ],
  [
    /driver version is insufficient|(?:CUDA failure|cudaError)\D{0,12}35\b/i,
    (_match, _device, { cudaMajor }) => ({
      problem: `the NVIDIA driver is too old for CUDA${cudaMajor === undefined ? '' : ` ${cudaMajor}`}`,
      hint: 'Update the driver: nvidia-smi shows the newest CUDA version that it supports.',
    }),
  ],
  [
    /no CUDA-capable device|(?:CUDA failure|cudaError)\D{0,12}100\b/i,
    () => ({ problem: 'CUDA finds no GPU on this machine', hint: INSTALL_DRIVER }),
  ],
];

/** Why a device does not work, given onnxruntime's `reason`, which takes precedence over files. */
export function deviceProblem(device: Device, reason: string, facts: CudaFacts): DeviceProblem {
  if (device.kind === 'webgpu') {
    return {
      problem: `WebGPU found nothing to run on (${firstLine(reason)})`,
      hint: 'WebGPU needs a GPU with a Vulkan driver (Linux: libvulkan.so.1 and the vendor driver), Metal or Direct3D 12. Or use --device cpu.',
    };
  }
  if (device.kind === 'cuda') {
    for (const [saying, explain] of SAID) {
      const match = saying.exec(reason);
      // Without a driver its library is missing too.
      if (match !== null && match[1] !== 'libcuda.so.1') return explain(match, device, facts);
    }
    const known = cudaProblem(facts);
    if (known !== undefined) return known;
  }
  return { problem: firstLine(reason), hint: 'tocsin doctor lists the GPUs and libraries.' };
}

export function unusable(device: Device, { problem, hint }: DeviceProblem): UserError {
  return new UserError(`device ${deviceName(device)} is not usable: ${problem}`, { hint });
}

/** Strips the source location at the start of onnxruntime's messages. */
function firstLine(reason: string): string {
  const [line = ''] = reason.trim().split('\n');
  return line.replace(/^\/\S+ .*? (?=\S+ was false\.)/, '').trim();
}
