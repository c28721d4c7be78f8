import { hadamard, type Rotation } from './rotation.js';

/** A matrix of float32, row-major. */
export class Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;

  constructor(rows: number, columns: number, values: Float32Array = new Float32Array(rows * columns)) {
    if (values.length !== rows * columns)
      throw new RangeError(`${values.length} values for ${rows} x ${columns}`);
    this.rows = rows;
    this.columns = columns;
    this.values = values;
  }

  /** Multiplies column i by factors[i], in place. */
  scaleColumns(factors: Float32Array): this {
    const { values, columns } = this;
    for (let start = 0; start < values.length; start += columns) {
      for (let i = 0; i < columns; i++) values[start + i] = (values[start + i] ?? 0) * (factors[i] ?? 0);
    }
    return this;
  }

  /** Multiplies row i by factors[i], in place. */
  scaleRows(factors: Float32Array): this {
    for (const [row, factor] of factors.entries()) {
      const values = this.row(row);
      for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) * factor;
    }
    return this;
  }

  /** Rotates each row, or each piece of the rotation's size in it, in place. */
  rotateRows(rotation: Rotation): this {
    for (let start = 0; start < this.values.length; start += rotation.size)
      rotation.apply(this.values, start);
    return this;
  }

  /** Multiplies each piece of `size` values in each row by the Hadamard matrix of that size, in place. */
  mixRows(size: number): this {
    const matrix = hadamard(size);
    const mixed = new Float32Array(size);
    for (let start = 0; start < this.values.length; start += size) {
      const piece = this.values.subarray(start, start + size);
      mixed.fill(0);
      for (const [i, value] of piece.entries()) {
        for (let j = 0; j < size; j++) mixed[j] = (mixed[j] ?? 0) + value * (matrix[i * size + j] ?? 0);
      }
      piece.set(mixed);
    }
    return this;
  }

  transposed(): Matrix {
    const { rows, columns, values } = this;
    const result = new Float32Array(values.length);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++)
        result[column * rows + row] = values[row * columns + column] ?? 0;
    }
    return new Matrix(columns, rows, result);
  }

  /** A row, in place. */
  row(index: number): Float32Array {
    return this.values.subarray(index * this.columns, (index + 1) * this.columns);
  }

  /** Takes rows out: returns them as a matrix, and leaves zeros. */
  takeRows(indices: readonly number[]): Matrix {
    const taken = new Matrix(indices.length, this.columns);
    for (const [i, index] of indices.entries()) {
      taken.row(i).set(this.row(index));
      this.row(index).fill(0);
    }
    return taken;
  }

  /** Largest absolute value of each row. */
  peaks(): Float32Array {
    return Float32Array.from({ length: this.rows }, (_, row) =>
      this.row(row).reduce((most, value) => Math.max(most, Math.abs(value)), 0),
    );
  }
}

/** The largest code: -128 is not used, so that codes are symmetric. */
const HIGHEST = 127;

/**
 * Rounds a linear layer's weight to 8 bits with a scale for each output: value = scale * code.
 * @param weight [outputs, inputs]
 * @returns codes as MatMulIntegerToFloat takes them, int8 [inputs, outputs], and scales [outputs]
 * @throws RangeError when a value is not finite
 */
export function roundChannels(weight: Matrix): { codes: Int8Array; scales: Float32Array } {
  const { rows: outputs, columns: inputs } = weight;
  const scales = weight.peaks().map((peak) => {
    if (!Number.isFinite(peak)) throw new RangeError('a weight is no finite number');
    return peak / HIGHEST || 1;
  });
  const codes = new Int8Array(outputs * inputs);
  for (const [output, scale] of scales.entries()) {
    const row = weight.row(output);
    for (let input = 0; input < inputs; input++) {
      codes[input * outputs + output] = Math.round((row[input] ?? 0) / scale);
    }
  }
  return { codes, scales };
}
