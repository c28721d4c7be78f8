import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

/** Which of onnxruntime-node's requirements for CUDA this machine meets. */
export interface CudaFacts {
  /** onnxruntime-node has CUDA builds for this platform (1.30: Linux on x64 only). */
  platform: boolean;
  /** A driver's device file exists. */
  driver: boolean;
  /** onnxruntime-node's CUDA library, which is not on npm, is installed. */
  provider: boolean;
  /** Where to install it. */
  providerFile: string;
  /** onnxruntime-node's version, which the library must match. */
  version: string;
  /** The major version of CUDA that the library was built for, if known. */
  cudaMajor: number | undefined;
  /** Required CUDA libraries that the system does not find. */
  missing: string[];
  /** Installed libraries of those names in other versions. */
  otherVersions: string[];
}

const PROVIDER = 'libonnxruntime_providers_cuda.so';
/** Of NVIDIA's Linux driver, and of Windows' for WSL. */
const DRIVER_FILES = ['/dev/nvidiactl', '/dev/nvidia0', '/dev/dxg'];
/** Libraries with CUDA's major version in their names. (libcurand has its own.) */
const VERSIONED = /^lib(?:cudart|cublas|cublasLt)\.so\.(\d+)$/;

/** Reads only files; loads nothing of CUDA. */
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

/** The major version of CUDA from the names of its libraries. */
export function cudaMajorOf(libraries: readonly string[]): number | undefined {
  const [major] = libraries.flatMap((name) => VERSIONED.exec(name)?.[1] ?? []);
  return major === undefined ? undefined : Number(major);
}

async function missingLibraries(file: string): Promise<string[]> {
  try {
    const { stdout } = await promisify(execFile)('ldd', [file]);
    return unfoundIn(stdout);
  } catch {
    // Without ldd, loading the library will report what is missing.
    return [];
  }
}

/** Other versions of the missing libraries, in the loader's cache and on LD_LIBRARY_PATH. */
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

/** The names in `ldd`'s output without a file. */
export function unfoundIn(ldd: string): string[] {
  return [...ldd.matchAll(/^\s*(\S+) => not found/gm)].map(([, name = '']) => name);
}

const SHT_DYNAMIC = 6;
const DT_NEEDED = 1n;
const SECTION_HEADER_BYTES = 64;
const DYNAMIC_ENTRY_BYTES = 16;

/**
 * The libraries that a shared library requires (NEEDED entries of a 64-bit little-endian ELF file), in order. Reads only
 * headers and names.
 * @throws Error for any other file
 */
export async function neededLibraries(file: string): Promise<string[]> {
  const handle = await open(file);
  try {
    const header = await readAt(handle, 0, 64);
    const isElf64 =
      header.length === 64 && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2 && header[5] === 1;
    if (!isElf64) throw new Error(`${file} is no 64-bit ELF file`);
    const count = header.readUInt16LE(60);
    const table = await readAt(handle, Number(header.readBigUInt64LE(40)), count * SECTION_HEADER_BYTES);
    const section = (index: number): { type: number; link: number; offset: number; size: number } => {
      const at = index * SECTION_HEADER_BYTES;
      return {
        type: table.readUInt32LE(at + 4),
        link: table.readUInt32LE(at + 40),
        offset: Number(table.readBigUInt64LE(at + 24)),
        size: Number(table.readBigUInt64LE(at + 32)),
      };
    };
    const dynamic = Array.from({ length: count }, (_, index) => section(index)).find(
      ({ type }) => type === SHT_DYNAMIC,
    );
    if (dynamic === undefined) return [];
    const names = section(dynamic.link);
    const [entries, strings] = await Promise.all(
      [dynamic, names].map(({ offset, size }) => readAt(handle, offset, size)),
    );
    if (entries === undefined || strings === undefined) return [];
    const needed: string[] = [];
    for (let at = 0; at + DYNAMIC_ENTRY_BYTES <= entries.length; at += DYNAMIC_ENTRY_BYTES) {
      if (entries.readBigUInt64LE(at) !== DT_NEEDED) continue;
      const start = Number(entries.readBigUInt64LE(at + 8));
      needed.push(strings.toString('latin1', start, strings.indexOf(0, start)));
    }
    return needed;
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
