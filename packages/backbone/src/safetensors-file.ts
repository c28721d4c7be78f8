import { open } from 'node:fs/promises';
import { HEADER_LENGTH_BYTES, parseSafetensorsHeader, safetensorsHeaderLength } from '@tocsin/siren';
import type { CheckpointTensor } from './checkpoint.js';

/** Every tensor of a safetensors file, by name. Reads the header only. */
export async function readSafetensorsFile(file: string): Promise<Map<string, CheckpointTensor>> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const first8 = await readAt(handle, 0, Math.min(HEADER_LENGTH_BYTES, size));
    const length = safetensorsHeaderLength(file, first8, size);
    const header = await readAt(handle, HEADER_LENGTH_BYTES, length);
    const tensors = parseSafetensorsHeader(file, header, size);
    return new Map([...tensors].map(([name, tensor]) => [name, { ...tensor, file }]));
  } finally {
    await handle.close();
  }
}

async function readAt(
  handle: Awaited<ReturnType<typeof open>>,
  position: number,
  length: number,
): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}
