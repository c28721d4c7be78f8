import { EMBEDDING, isLinearWeight } from '../checkpoint/tensor-plan.js';
import type { Numerics } from '../precision.js';
import { type BlockFormat, blockFormatOf } from '../quantize/block-format.js';
import type { FloatType } from './encode-floats.js';

/** How a tensor of a checkpoint is held in the compiled guard. */
export type Storage = { type: FloatType } | { format: BlockFormat };

/**
 * How a precision holds a tensor. Integers are for the linear layers of the blocks; of the embedding, which is the
 * largest table of a small backbone, only some rows are read at a time: it stays in half precision.
 * @param dtype the checkpoint's
 */
export function storageOf(numerics: Numerics, name: string, dtype: string): Storage {
  switch (numerics.weights) {
    case 'float32':
      return { type: 'F32' };
    case 'float16':
      return { type: 'F16' };
    case 'bfloat16':
      return { type: 'BF16' };
    case 'int8':
    case 'int4': {
      const format = isLinearWeight(name) ? blockFormatOf(numerics, dtype) : undefined;
      if (format !== undefined) return { format };
      if (name === EMBEDDING) return { type: dtype === 'BF16' ? 'BF16' : 'F16' };
      return { type: 'F32' };
    }
  }
}
