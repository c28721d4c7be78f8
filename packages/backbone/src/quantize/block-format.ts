/** How a matrix is held as integers: as onnxruntime's MatMulNBits takes it. */
export interface BlockFormat {
  /** Of a code. */
  bits: 4 | 8;
  /** Neighbouring inputs of one output that share a scale. */
  blockSize: number;
  /**
   * What code stands for zero: the middle one in every block, a code of the block's own, or a number of the block's own
   * between codes.
   */
  zeroPoints: 'middle' | 'codes' | 'floats';
}

/** Raised whenever the integers of a precision, or what they stand for, change: scores change with them. */
export const QUANTIZATION_VERSION = 1;

/** Chosen by measurement (docs/guards.md): drift of scores, speed and size on the starter guard. */
export const BLOCK_FORMATS = {
  int8: { bits: 8, blockSize: 32, zeroPoints: 'middle' },
  int4: { bits: 4, blockSize: 32, zeroPoints: 'floats' },
} as const satisfies Record<string, BlockFormat>;

/** Sizes of a quantized matrix of [outputs, inputs]. */
export function blockLayout(
  format: BlockFormat,
  inputs: number,
): { blocks: number; codeBytes: number; zeroPointBytes: number } {
  const blocks = Math.ceil(inputs / format.blockSize);
  return {
    blocks,
    /** Of a row. The last block is whole, whatever it holds. */
    codeBytes: (blocks * format.blockSize * format.bits) / 8,
    zeroPointBytes: Math.ceil((blocks * format.bits) / 8),
  };
}
