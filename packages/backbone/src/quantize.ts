import type { Numerics } from './precision.js';

/** How a matrix is stored as integers, as onnxruntime's MatMulNBits takes it. */
export interface BlockFormat {
  /** Bits per code. */
  bits: 4 | 8;
  /** Adjacent inputs of one output that share a scale. */
  blockSize: number;
  /**
   * The zero point: the middle code in every block, a code per block, or a fractional code per block.
   */
  zeroPoints: 'middle' | 'codes' | 'floats';
}

/** Increase whenever the integers of a precision or their meaning change, since scores change too. */
export const QUANTIZATION_VERSION = 2;

/** For GPUs; on a CPU int8 is 8-bit arithmetic (see storeInt8). Keeps the blocks of a Q8_0 GGUF file unchanged. */
const INT8: BlockFormat = { bits: 8, blockSize: 32, zeroPoints: 'middle' };
const INT4: BlockFormat = { bits: 4, blockSize: 32, zeroPoints: 'codes' };
/**
 * Keeps the blocks of a Q4_1 GGUF file unchanged: the starter guard's scores hardly move. Slow for few tokens at a time,
 * since onnxruntime dequantizes the weights at every pass on a CPU.
 */
const INT4_OF_Q4_1: BlockFormat = { ...INT4, zeroPoints: 'floats' };

/**
 * How a precision stores matrices; undefined when it stores floats.
 * @param dtype the checkpoint's
 */
export function blockFormatOf({ weights, device }: Numerics, dtype: string): BlockFormat | undefined {
  if (weights === 'int8') return INT8;
  // On GPUs, the usual format there.
  if (weights === 'int4') return device === 'cpu' && dtype === 'Q4_1' ? INT4_OF_Q4_1 : INT4;
  return undefined;
}

/** Sizes of a row of `inputs` values. The last block is padded. */
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

/** Rows of a matrix as integers: value = scale * (code - zero point). */
export interface QuantizedRows {
  /** [rows, blocks, bytes of a block]; the first of two codes in a byte is in the low half. */
  codes: Uint8Array;
  /** [rows, blocks] */
  scales: Float32Array;
  /**
   * As codes, packed: [rows, bytes], each row starting at a byte. As floats: [rows, blocks]. Undefined when the middle
   * code is zero.
   */
  zeroPoints: Uint8Array | Float32Array | undefined;
}

/** Shares of a block's range to try: clipping the outermost values can reduce the total error. */
const SHARES = { 4: [1, 0.94, 0.88, 0.82, 0.76], 8: [1] } as const;

/**
 * Quantizes rows of a matrix block by block, with the range of least squared error. Values already on such a grid
 * (blocks of a quantized GGUF file) are kept exactly.
 * @param values [rows, inputs], row-major
 * @throws RangeError when a value is not finite
 */
export function quantizeRows(values: Float32Array, inputs: number, format: BlockFormat): QuantizedRows {
  const rows = values.length / inputs;
  const { bits, blockSize } = format;
  const { blocks, codeBytes, zeroPointBytes } = blockLayout(format, inputs);
  const block = new Block(format);
  const codes = new Uint8Array(rows * codeBytes);
  const scales = new Float32Array(rows * blocks);
  const floats = new Float32Array(format.zeroPoints === 'floats' ? rows * blocks : 0);
  const packed = new Uint8Array(format.zeroPoints === 'codes' ? rows * zeroPointBytes : 0);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < blocks; i++) {
      const first = i * blockSize;
      block.fit(values, row * inputs + first, Math.min(blockSize, inputs - first));
      block.write(codes, row * codeBytes + (first * bits) / 8);
      scales[row * blocks + i] = block.scale;
      if (format.zeroPoints === 'floats') floats[row * blocks + i] = block.zeroPoint;
      else if (format.zeroPoints === 'codes') pack(packed, row * zeroPointBytes, i, block.zeroPoint, bits);
    }
  }
  const zeroPoints = { floats, codes: packed, middle: undefined }[format.zeroPoints];
  return { codes, scales, zeroPoints };
}

function pack(bytes: Uint8Array, place: number, index: number, code: number, bits: 4 | 8): void {
  if (bits === 8) bytes[place + index] = code;
  else {
    const at = place + (index >> 1);
    bytes[at] = (bytes[at] ?? 0) | (code << (4 * (index & 1)));
  }
}

/** Scale, zero point and codes of the last fitted block. */
class Block {
  scale = 1;
  zeroPoint = 0;
  readonly #codes: Uint8Array;
  readonly #format: BlockFormat;
  readonly #highest: number;
  readonly #middle: number;
  readonly #shares: readonly number[];

  constructor(format: BlockFormat) {
    this.#format = format;
    this.#codes = new Uint8Array(format.blockSize);
    this.#highest = 2 ** format.bits - 1;
    this.#middle = 2 ** (format.bits - 1);
    this.#shares = SHARES[format.bits];
  }

  fit(values: Float32Array, start: number, length: number): void {
    let low = values[start] ?? 0;
    let high = low;
    let sum = low;
    for (let i = start + 1; i < start + length; i++) {
      const value = values[i] ?? 0;
      if (value < low) low = value;
      else if (value > high) high = value;
      sum += value;
    }
    if (!Number.isFinite(sum)) throw new RangeError('a weight is no finite number');
    const end = start + length;
    let least = Number.POSITIVE_INFINITY;
    for (const share of this.#shares) {
      const { scale, zeroPoint } = this.#grid(low, high, share);
      const steps =
        this.#shares.length === 1 ? 0 : errorInSteps(values, start, end, 1 / scale, zeroPoint, this.#highest);
      const error = steps * scale * scale;
      if (error >= least) continue;
      least = error;
      this.scale = scale;
      this.zeroPoint = zeroPoint;
    }
    const { scale, zeroPoint } = this;
    const inverse = 1 / scale;
    // Codes beyond the row's end are the nearest to zero; nothing reads them.
    if (length < this.#codes.length) this.#codes.fill(nearestCode(zeroPoint, this.#highest));
    for (let i = 0; i < length; i++) {
      this.#codes[i] = nearestCode((values[start + i] ?? 0) * inverse + zeroPoint, this.#highest);
    }
  }

  write(bytes: Uint8Array, place: number): void {
    const codes = this.#codes;
    if (this.#format.bits === 8) bytes.set(codes, place);
    else
      for (let i = 0; i < codes.length; i += 2)
        bytes[place + i / 2] = (codes[i] ?? 0) | ((codes[i + 1] ?? 0) << 4);
  }

  /** The grid over a share of the range, with float32 scales and zero points, as they are stored. */
  #grid(low: number, high: number, share: number): { scale: number; zeroPoint: number } {
    if (this.#format.zeroPoints === 'middle') {
      // Symmetric around zero: the lowest code is unused.
      const scale = Math.fround((Math.max(-low, high) * share) / (this.#middle - 1)) || 1;
      return { scale, zeroPoint: this.#middle };
    }
    if (this.#format.zeroPoints === 'codes') {
      const [from, to] = [Math.min(0, low) * share, Math.max(0, high) * share];
      const scale = Math.fround((to - from) / this.#highest) || 1;
      return { scale, zeroPoint: Math.round(-from / scale) };
    }
    const cut = ((high - low) * (1 - share)) / 2;
    const scale = Math.fround((high - low - 2 * cut) / this.#highest);
    // A block of equal values: that value, times one.
    if (scale === 0) return low === 0 ? { scale: 1, zeroPoint: 0 } : { scale: low, zeroPoint: -1 };
    return { scale, zeroPoint: Math.fround(-(low + cut) / scale) };
  }
}

/** Squared error of a grid, in steps of its scale. */
function errorInSteps(
  values: Float32Array,
  start: number,
  end: number,
  inverse: number,
  zeroPoint: number,
  highest: number,
): number {
  let error = 0;
  for (let i = start; i < end; i++) {
    const exact = (values[i] ?? 0) * inverse + zeroPoint;
    const rest = exact - nearestCode(exact, highest);
    error += rest * rest;
  }
  return error;
}

/** Rounds a non-negative number; much faster than Math.round in the loop over all weights. */
function nearestCode(exact: number, highest: number): number {
  if (exact <= 0) return 0;
  return exact >= highest ? highest : (exact + 0.5) | 0;
}
