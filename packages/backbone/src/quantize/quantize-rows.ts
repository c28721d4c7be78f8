import { type BlockFormat, blockLayout } from './block-format.js';

/** Rows of a matrix as integers. Value = scale * (code - zero point). */
export interface QuantizedRows {
  /** [rows, blocks, bytes of a block]; of two codes in a byte the first is in the low half. */
  codes: Uint8Array;
  /** [rows, blocks] */
  scales: Float32Array;
  /** [rows, bytes]: packed like the codes, each row from a byte of its own. Undefined where the format has none. */
  zeroPoints: Uint8Array | undefined;
}

/** Shares of a block's range that are tried: cutting its outermost values off can leave less error in all the others. */
const SHARES = { 4: [1, 0.94, 0.88, 0.82, 0.76], 8: [1] } as const;

/**
 * Quantizes rows of a matrix, block by block, with the range that leaves the least squared error.
 * @param values [rows, inputs], row-major
 */
export function quantizeRows(values: Float32Array, inputs: number, format: BlockFormat): QuantizedRows {
  const rows = values.length / inputs;
  const { bits, blockSize } = format;
  const { blocks, codeBytes, zeroPointBytes } = blockLayout(format, inputs);
  const quantizer = new BlockQuantizer(format);
  const codes = new Uint8Array(rows * codeBytes);
  const scales = new Float32Array(rows * blocks);
  const zeroPoints = format.zeroPoints ? new Uint8Array(rows * zeroPointBytes) : undefined;
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const first = block * blockSize;
      const start = row * inputs + first;
      quantizer.fit(values, start, Math.min(blockSize, inputs - first));
      scales[row * blocks + block] = quantizer.scale;
      const place = row * codeBytes + (first * bits) / 8;
      for (let i = 0; i < blockSize; i++) pack(codes, place, i, quantizer.codes[i] ?? 0, bits);
      if (zeroPoints !== undefined) {
        pack(zeroPoints, row * zeroPointBytes, block, quantizer.zeroPoint, bits);
      }
    }
  }
  return { codes, scales, zeroPoints };
}

function pack(bytes: Uint8Array, place: number, index: number, code: number, bits: 4 | 8): void {
  if (bits === 8) bytes[place + index] = code;
  else {
    const at = place + (index >> 1);
    bytes[at] = (bytes[at] ?? 0) | (code << (4 * (index & 1)));
  }
}

/** Finds scale, zero point and codes of one block. */
class BlockQuantizer {
  scale = 0;
  zeroPoint = 0;
  /** Of the block; the zero point where the block is shorter than the format's. */
  readonly codes: Uint8Array;
  readonly #highest: number;
  readonly #middle: number;
  readonly #symmetric: boolean;
  readonly #shares: readonly number[];

  constructor({ bits, blockSize, zeroPoints }: BlockFormat) {
    this.codes = new Uint8Array(blockSize);
    this.#highest = 2 ** bits - 1;
    this.#middle = 2 ** (bits - 1);
    this.#symmetric = !zeroPoints;
    this.#shares = SHARES[bits];
  }

  fit(values: Float32Array, start: number, length: number): void {
    let low = 0;
    let high = 0;
    for (let i = start; i < start + length; i++) {
      const value = values[i] ?? 0;
      if (value < low) low = value;
      else if (value > high) high = value;
    }
    let least = Number.POSITIVE_INFINITY;
    for (const share of this.#shares) {
      const scale = this.#scaleOf(low * share, high * share);
      const zeroPoint = this.#symmetric ? this.#middle : this.#clamp(Math.round((-low * share) / scale));
      const error = this.#shares.length === 1 ? 0 : this.#error(values, start, length, scale, zeroPoint);
      if (error >= least) continue;
      least = error;
      this.scale = scale;
      this.zeroPoint = zeroPoint;
    }
    const { scale, zeroPoint, codes } = this;
    codes.fill(zeroPoint);
    for (let i = 0; i < length; i++) {
      codes[i] = this.#clamp(Math.round((values[start + i] ?? 0) / scale) + zeroPoint);
    }
  }

  /** Symmetric codes reach one step further below the middle than above it: the larger side gets that one. */
  #scaleOf(low: number, high: number): number {
    const range = this.#symmetric ? (-low > high ? low : high) / -this.#middle : (high - low) / this.#highest;
    // A float32 on its way to the file: the codes have to fit what will be read.
    return Math.fround(range) || 1;
  }

  #error(values: Float32Array, start: number, length: number, scale: number, zeroPoint: number): number {
    let error = 0;
    const inverse = 1 / scale;
    const lowest = -zeroPoint;
    const highest = this.#highest - zeroPoint;
    for (let i = start; i < start + length; i++) {
      const exact = (values[i] ?? 0) * inverse;
      let step = Math.round(exact);
      if (step < lowest) step = lowest;
      else if (step > highest) step = highest;
      error += (exact - step) ** 2;
    }
    return error * scale * scale;
  }

  #clamp(code: number): number {
    return Math.max(0, Math.min(this.#highest, code));
  }
}
