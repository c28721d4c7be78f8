import { open } from 'node:fs/promises';
import { messageOf, UserError } from '@tocsin/core';
import { HEADER_LENGTH_BYTES, parseSafetensorsHeader, safetensorsHeaderLength } from '@tocsin/siren';
import type { CheckpointTensor } from './checkpoint.js';

/**
 * Every tensor of a safetensors file, by name. Reads the header only.
 * @throws UserError when it cannot be read, or its header does not fit the file
 */
export async function readSafetensorsFile(file: string): Promise<Map<string, CheckpointTensor>> {
  const handle = await open(file).catch((cause: unknown) => {
    throw new UserError(`${file} cannot be opened: ${messageOf(cause)}`, { cause });
  });
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) throw new UserError(`${file} is no file; expected a safetensors file`);
    const { size } = stat;
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
