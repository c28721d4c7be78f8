import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { neededLibraries } from './elf-needed.js';

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
  /** onnxruntime-node's version, which the library has to be of. */
  version: string;
  /** The major version of CUDA that the library was built for, as far as it says so. */
  cudaMajor: number | undefined;
  /** Libraries of CUDA that it asks for and the system does not find. */
  missing: string[];
  /** Libraries of those names, but of other versions, that the system has. */
  otherVersions: string[];
}

const PROVIDER = 'libonnxruntime_providers_cuda.so';
/** Of NVIDIA's Linux driver, and of Windows' for WSL. */
const DRIVER_FILES = ['/dev/nvidiactl', '/dev/nvidia0', '/dev/dxg'];
/** They carry CUDA's major version. libcurand has one of its own. */
const VERSIONED = /^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)$/;

/** Looks at files only: nothing of CUDA is loaded. */
export async function cudaFacts(): Promise<CudaFacts> {
  const main = createRequire(import.meta.url).resolve('onnxruntime-node');
  const { version } = createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string };
  const providerFile = join(dirname(main), '..', 'bin', 'napi-v6', process.platform, process.arch, PROVIDER);
  const provider = existsSync(providerFile);
  const needed = provider ? await neededLibraries(providerFile).catch(() => []) : [];
  const missing = provider ? await missingLibraries(providerFile) : [];
  return {
    platform: process.platform === 'linux' && process.arch === 'x64',
    driver: DRIVER_FILES.some((file) => existsSync(file)),
    provider,
    providerFile,
    version,
    cudaMajor: cudaMajorOf(needed),
    missing,
    otherVersions: await othersOf(missing),
  };
}

/** The major version of CUDA out of the names of its libraries. */
export function cudaMajorOf(libraries: readonly string[]): number | undefined {
  const [major] = libraries.flatMap((name) => VERSIONED.exec(name)?.[1] ?? []);
  return major === undefined ? undefined : Number(major);
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

/** Of libraries that are missing, those of other versions: in the loader's cache and on LD_LIBRARY_PATH. */
async function othersOf(missing: readonly string[]): Promise<string[]> {
  const bases = missing.filter((name) => VERSIONED.test(name)).map((name) => name.replace(/\.\d+$/, '.'));
  if (bases.length === 0) return [];
  const cached = await promisify(execFile)('ldconfig', ['-p']).then(
    ({ stdout }) => [...stdout.matchAll(/^\s*(\S+) \(/gm)].map(([, name = '']) => name),
    () => [],
  );
  const dirs = (process.env.LD_LIBRARY_PATH ?? '').split(':').filter(Boolean);
  const onPath = await Promise.all(dirs.map((dir) => readdir(dir).catch(() => [])));
  const names = new Set([...cached, ...onPath.flat()]);
  return [...names].filter((name) => bases.some((base) => name.startsWith(base))).sort();
}

/** The names in `ldd`'s answer that it found no file for. */
export function unfoundIn(ldd: string): string[] {
  return [...ldd.matchAll(/^\s*(\S+) => not found/gm)].map(([, name = '']) => name);
}
