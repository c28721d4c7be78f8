import type { Numerics } from '../precision.js';

/** How a matrix is held as integers: as onnxruntime's MatMulNBits takes it. */
export interface BlockFormat {
  /** Of a code. */
  bits: 4 | 8;
  /** Neighbouring inputs of one output that share a scale. */
  blockSize: number;
  /**
   * What stands for zero: the middle code in every block, a code of the block's own, or a number of the block's own
   * between codes.
   */
  zeroPoints: 'middle' | 'codes' | 'floats';
}

/** Raised whenever the integers of a precision, or what they stand for, change: scores change with them. */
export const QUANTIZATION_VERSION = 1;

/** The blocks of a Q8_0 GGUF file stay what they are. */
const INT8: BlockFormat = { bits: 8, blockSize: 32, zeroPoints: 'middle' };
const INT4: BlockFormat = { bits: 4, blockSize: 32, zeroPoints: 'codes' };
/**
 * The blocks of a Q4_1 GGUF file stay what they are: the starter guard's scores hardly move. onnxruntime is slow with
 * these where few tokens go through at a time (a CPU takes the weights back to float32 at every pass).
 */
const INT4_OF_Q4_1: BlockFormat = { ...INT4, zeroPoints: 'floats' };

/**
 * How a precision holds matrices; undefined when it holds floats.
 * @param dtype what the checkpoint holds them in
 */
export function blockFormatOf({ weights, device }: Numerics, dtype: string): BlockFormat | undefined {
  if (weights === 'int8') return INT8;
  // On GPUs, where nothing was run, what is usual there.
  if (weights === 'int4') return device === 'cpu' && dtype === 'Q4_1' ? INT4_OF_Q4_1 : INT4;
  return undefined;
}

/** Sizes of a row of `inputs` values. The last block is whole, whatever it holds. */
export function blockLayout(
  format: BlockFormat,
  inputs: number,
): { blocks: number; codeBytes: number; zeroPointBytes: number } {
  const blocks = Math.ceil(inputs / format.blockSize);
  return {
    blocks,
    codeBytes: (blocks * format.blockSize * format.bits) / 8,
    zeroPointBytes: Math.ceil((blocks * format.bits) / 8),
  };
}
