import { open } from 'node:fs/promises';
import { dequantize } from './dequantize.js';
import { damaged } from './gguf-error.js';
import type { GgufTensor } from './gguf-tensor.js';
import { undoInterleaving } from './permute.js';
import { BLOCKS } from './tensor-type.js';

/** Beside the values themselves only this much of the file is in memory. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * A tensor's values as float32, in Hugging Face's order of rows.
 * @returns row-major, the product of `tensor.shape` of them
 * @throws UserError when the file has become shorter since it was opened
 */
export async function readGgufTensor(tensor: GgufTensor): Promise<Float32Array> {
  const block = BLOCKS[tensor.dtype];
  const chunkBytes = Math.floor(CHUNK_BYTES / block.bytes) * block.bytes;
  const chunk = new Uint8Array(Math.min(chunkBytes, tensor.byteLength));
  const values = new Float32Array((tensor.byteLength / block.bytes) * block.elements);

  const handle = await open(tensor.file);
  try {
    for (let done = 0; done < tensor.byteLength; done += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, tensor.byteLength - done));
      for (let filled = 0; filled < part.length; ) {
        const at = tensor.offset + done + filled;
        const { bytesRead } = await handle.read(part, filled, part.length - filled, at);
        if (bytesRead === 0) throw damaged(tensor.file, `the file ends inside tensor "${tensor.ggufName}"`);
        filled += bytesRead;
      }
      dequantize(tensor.dtype, part, values, (done / block.bytes) * block.elements);
    }
  } finally {
    await handle.close();
  }
  if (tensor.interleavedHeads !== undefined) {
    undoInterleaving(values, tensor.shape[0] ?? 0, tensor.interleavedHeads);
  }
  return values;
}
