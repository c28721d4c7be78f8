import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** What a machine has of what onnxruntime-node needs for CUDA. */
export interface CudaFacts {
  /** onnxruntime-node has CUDA builds for this platform (1.30: Linux on x64 only). */
  platform: boolean;
  /** A driver's device file is there. */
  driver: boolean;
  /** onnxruntime-node's own CUDA library, which npm does not carry, has been installed. */
  provider: boolean;
  /** Where it belongs. */
  providerFile: string;
  /** Libraries of CUDA and cuDNN that it asks for and the system does not find. */
  missing: string[];
}

const PROVIDER = 'libonnxruntime_providers_cuda.so';
/** Of NVIDIA's Linux driver, and of Windows' for WSL. */
const DRIVER_FILES = ['/dev/nvidiactl', '/dev/nvidia0', '/dev/dxg'];

/** Looks at files only: nothing of CUDA is loaded. */
export async function cudaFacts(): Promise<CudaFacts> {
  const providerFile = join(binariesDir(), PROVIDER);
  const provider = existsSync(providerFile);
  return {
    platform: process.platform === 'linux' && process.arch === 'x64',
    driver: DRIVER_FILES.some((file) => existsSync(file)),
    provider,
    providerFile,
    missing: provider ? await missingLibraries(providerFile) : [],
  };
}

/** Where onnxruntime-node keeps its libraries for this platform. */
function binariesDir(): string {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  return join(dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch);
}

async function missingLibraries(file: string): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('ldd', [file]);
    return unfoundIn(stdout);
  } catch {
    // No ldd here: loading the library will say what is missing.
    return [];
  }
}

/** The names in `ldd`'s answer that it found no file for. */
export function unfoundIn(ldd: string): string[] {
  return [...ldd.matchAll(/^\s*(\S+) => not found/gm)].map(([, name = '']) => name);
}
