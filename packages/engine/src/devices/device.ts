import { execFile } from 'node:child_process';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { release } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { DEVICE_KINDS, type DeviceKind } from '@tocsin/backbone';
import { UserError } from '@tocsin/core';

/** A device that runs forward passes. */
export interface Device {
  kind: DeviceKind;
  /** Index among devices of the same kind, from 0. */
  index: number;
}

export const CPU: Device = { kind: 'cpu', index: 0 };
/** The accepted names, for help texts. */
export const DEVICE_NAMES = 'auto, cpu, cuda[:n], webgpu';

/**
 * Parses a device name.
 * @returns 'auto' for the best device
 * @throws UserError for anything but DEVICE_NAMES
 */
export function parseDevice(text: string): Device | 'auto' {
  if (text === 'auto') return 'auto';
  const [, name = '', index] = /^([a-z]+)(?::(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const kind = DEVICE_KINDS.find((known) => known === name);
  if (kind === undefined || (index !== undefined && kind !== 'cuda')) {
    throw new UserError(`device ${JSON.stringify(text)} is not supported; supported are ${DEVICE_NAMES}`);
  }
  return { kind, index: Number(index ?? 0) };
}

/** The name of a device, as accepted by `parseDevice`. */
export function deviceName({ kind, index }: Device): string {
  return kind === 'cuda' ? `cuda:${index}` : kind;
}

/** What a device's results depend on besides the guard. */
export interface DeviceIdentity {
  device: string;
  driver: string;
  onnxruntime: string;
}

/** Search paths of Vulkan's loader on Linux. */
const VULKAN_DIRS = ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d', '/usr/local/share/vulkan/icd.d'];
const VULKAN_VARIABLES = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'];

/** Name and driver of a device, if known, and onnxruntime's version. Loads nothing. */
export async function deviceIdentity(device: Device): Promise<DeviceIdentity> {
  const onnxruntime = (createRequire(import.meta.url)('onnxruntime-node/package.json') as { version: string })
    .version;
  const [name, driver] = device.kind === 'cuda' ? await cudaGpu(device.index) : await graphicsOf();
  return { device: name, driver, onnxruntime };
}

async function cudaGpu(index: number): Promise<[name: string, driver: string]> {
  const query = ['-i', String(index), '--query-gpu=name,driver_version', '--format=csv,noheader'];
  try {
    const { stdout } = await promisify(execFile)('nvidia-smi', query);
    const [name = '', driver = ''] = stdout.split(',').map((part) => part.trim());
    return [name, driver];
  } catch {
    const module = await readFile('/proc/driver/nvidia/version', 'utf8').catch(() => '');
    return [`cuda ${index}`, module.split('\n')[0] || 'unknown'];
  }
}

/** onnxruntime does not reveal WebGPU's adapter, so this covers all candidates and their drivers. */
async function graphicsOf(): Promise<[name: string, driver: string]> {
  const cards = (await readdir('/sys/class/drm').catch(() => [])).filter((name) => /^card\d+$/.test(name));
  const ids = await Promise.all(
    cards.map(async (card) => {
      const part = (file: string): Promise<string> =>
        readFile(join('/sys/class/drm', card, 'device', file), 'utf8').then(
          (text) => text.trim(),
          () => '',
        );
      return `${await part('vendor')}:${await part('device')}`;
    }),
  );
  const manifests = (await Promise.all(VULKAN_DIRS.map(filesIn))).flat();
  const named = VULKAN_VARIABLES.flatMap((name) => process.env[name]?.split(':') ?? []).filter(Boolean);
  const drivers = new Set(await Promise.all([...named, ...manifests].sort().map(vulkanDriver)));
  return [`graphics ${ids.join(' ') || 'unknown'}`, [`system ${release()}`, ...drivers].join('; ')];
}

async function filesIn(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch(() => []);
  return names.filter((name) => name.endsWith('.json')).map((name) => join(dir, name));
}

/** A driver's manifest, with size and time of the library that it names, if a path. */
async function vulkanDriver(manifest: string): Promise<string> {
  try {
    const { ICD } = JSON.parse(await readFile(manifest, 'utf8')) as { ICD?: { library_path?: string } };
    const library = ICD?.library_path ?? '';
    if (!library.includes('/')) return `${manifest} ${library}`;
    const file = await realpath(resolve(dirname(manifest), library));
    const { size, mtimeMs } = await stat(file);
    return `${file} ${size} ${Math.floor(mtimeMs)}`;
  } catch {
    return `${manifest} (not readable)`;
  }
}
