import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '@tocsin/core';
import type { CheckpointTensor } from '../checkpoint/checkpoint.js';
import { BLOCKS, dequantize, type TensorType, undoInterleaving } from '../gguf/gguf-tensor.js';

/** A tensor of a safetensors or GGUF file. */
export interface ReadableTensor extends CheckpointTensor {
  /** Number of heads whose rows are in ggml's order. */
  interleavedHeads?: number;
}

/** Values per slab: 16 MB as float32. */
const SLAB_VALUES = 4 * 1024 * 1024;

/**
 * A tensor's values as float32 in Hugging Face's row order, one slab of whole rows at a time, so that memory holds one
 * slab whatever the tensor's size. The next slab overwrites the last; a one-dimensional tensor is one slab.
 * @throws UserError when the file has shrunk since it was opened
 */
export async function* readSlabs(
  tensor: ReadableTensor,
  slabValues = SLAB_VALUES,
): AsyncGenerator<Float32Array> {
  const type = tensor.dtype as TensorType;
  const block = BLOCKS[type];
  const all = tensor.shape.reduce((product, size) => product * size, 1);
  const unit = unitOf(tensor, all);
  const perSlab = Math.max(1, Math.floor(slabValues / unit)) * unit;
  const values = new Float32Array(Math.min(perSlab, all));
  const bytes = new Uint8Array((values.length / block.elements) * block.bytes);
  const handle = await open(tensor.file);
  try {
    for (let done = 0; done < all; done += values.length) {
      const slab = values.subarray(0, Math.min(values.length, all - done));
      const part = bytes.subarray(0, (slab.length / block.elements) * block.bytes);
      await readWhole(handle, tensor, part, tensor.offset + (done / block.elements) * block.bytes);
      dequantize(type, part, slab, 0);
      const { interleavedHeads } = tensor;
      if (interleavedHeads !== undefined) {
        const heads = (slab.length / all) * interleavedHeads;
        undoInterleaving(slab, ((tensor.shape[0] ?? 0) / interleavedHeads) * heads, heads);
      }
      yield slab;
    }
  } finally {
    await handle.close();
  }
}

/** Values that stay in one slab: a row, or a head whose rows are reordered. */
function unitOf({ shape, interleavedHeads }: ReadableTensor, all: number): number {
  const [rows = 1] = shape;
  if (shape.length < 2) return all;
  return all / (interleavedHeads ?? rows);
}

async function readWhole(
  handle: FileHandle,
  tensor: ReadableTensor,
  into: Uint8Array,
  position: number,
): Promise<void> {
  for (let filled = 0; filled < into.length; ) {
    const { bytesRead } = await handle.read(into, filled, into.length - filled, position + filled);
    if (bytesRead === 0) {
      throw new UserError(`${tensor.file} ends inside tensor ${tensor.name}`, {
        hint: 'The file has changed while it was read, or was cut while it was copied. Fetch it again.',
      });
    }
    filled += bytesRead;
  }
}
