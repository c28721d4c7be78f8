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

/** Middle zero points keep the blocks of a Q8_0 GGUF file as they are. */
const INT8: BlockFormat = { bits: 8, blockSize: 32, zeroPoints: 'middle' };
/** Zero points between codes keep the blocks of a Q4_1 GGUF file as they are: the starter guard's scores hardly move. */
const INT4: BlockFormat = { bits: 4, blockSize: 32, zeroPoints: 'floats' };
/** What is usual on GPUs, where nothing was run here; WebGPU has no other. */
const INT4_ON_GPU: BlockFormat = { ...INT4, zeroPoints: 'codes' };

/** How a precision holds matrices; undefined when it holds floats. */
export function blockFormatOf({ weights, device }: Numerics): BlockFormat | undefined {
  if (weights === 'int8') return INT8;
  if (weights === 'int4') return device === 'cpu' ? INT4 : INT4_ON_GPU;
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
