/**
 * An orthogonal matrix R of a size, applied to vectors from the right: x R. It spreads a value over all channels, so that a
 * vector with a few large values becomes one whose values are of similar size, which 8 bits represent well (QuaRot,
 * arXiv 2404.00456). R is a diagonal of signs times a Kronecker product of a Hadamard matrix (the largest power of two in
 * the size) and a cosine transform (the odd rest), so that it is applied in n log n steps and never stored.
 */
export class Rotation {
  readonly size: number;
  /** +1 or -1 of each channel, applied first. Equal for equal sizes. */
  readonly signs: Float32Array;
  readonly #power: number;
  readonly #odd: number;
  /** [odd, odd], row-major, orthonormal. */
  readonly #cosines: Float32Array;
  readonly #scratch: Float32Array;

  constructor(size: number) {
    this.size = size;
    this.#power = size & -size;
    this.#odd = size / this.#power;
    this.#cosines = cosineTransform(this.#odd);
    this.signs = randomSigns(size);
    this.#scratch = new Float32Array(this.#odd);
  }

  /**
   * Replaces x by x R.
   * @param values  holds x
   * @param start   index of x[0]
   * @param stride  distance between adjacent elements of x: 1 for a row of a matrix, its width for a column
   */
  apply(values: Float32Array, start = 0, stride = 1): void {
    const { size, signs } = this;
    const odd = this.#odd;
    for (let i = 0; i < size; i++) {
      const at = start + i * stride;
      values[at] = (values[at] ?? 0) * (signs[i] ?? 0);
    }
    for (let half = odd; half < size; half *= 2) {
      for (let from = 0; from < size; from += 2 * half) {
        for (let i = from; i < from + half; i++) {
          const [p, q] = [start + i * stride, start + (i + half) * stride];
          const [a, b] = [values[p] ?? 0, values[q] ?? 0];
          values[p] = a + b;
          values[q] = a - b;
        }
      }
    }
    const scale = 1 / Math.sqrt(this.#power);
    for (let from = 0; from < size; from += odd) {
      for (let j = 0; j < odd; j++) {
        let sum = 0;
        for (let i = 0; i < odd; i++) {
          sum += (values[start + (from + i) * stride] ?? 0) * (this.#cosines[i * odd + j] ?? 0);
        }
        this.#scratch[j] = sum * scale;
      }
      for (let j = 0; j < odd; j++) values[start + (from + j) * stride] = this.#scratch[j] ?? 0;
    }
  }

  /**
   * The factors of the Kronecker product, from the slowest index to the fastest, each a symmetric or orthonormal matrix
   * [size, size] row-major: x R = (x signs) (F1 x F2 x ...). For graphs, in which R is undone.
   */
  factors(): { size: number; matrix: Float32Array }[] {
    const factors: { size: number; matrix: Float32Array }[] = [];
    for (let rest = this.#power; rest > 1; ) {
      const size = Math.min(rest, LARGEST_FACTOR);
      factors.push({ size, matrix: hadamard(size) });
      rest /= size;
    }
    if (this.#odd > 1) factors.push({ size: this.#odd, matrix: this.#cosines });
    return factors;
  }
}

const LARGEST_FACTOR = 64;

/** The orthonormal discrete cosine transform (DCT-II) of a size, row-major. */
function cosineTransform(size: number): Float32Array {
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      const norm = Math.sqrt((j === 0 ? 1 : 2) / size);
      matrix[i * size + j] = norm * Math.cos((Math.PI * (2 * i + 1) * j) / (2 * size));
    }
  }
  return matrix;
}

/** The orthonormal Hadamard matrix of a power of two, row-major. It is symmetric, and its own inverse. */
export function hadamard(size: number): Float32Array {
  const matrix = new Float32Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) matrix[i * size + j] = (isOdd(i & j) ? -1 : 1) / Math.sqrt(size);
  }
  return matrix;
}

function isOdd(bits: number): boolean {
  let odd = false;
  for (let rest = bits; rest !== 0; rest &= rest - 1) odd = !odd;
  return odd;
}

/** A linear congruential generator (Numerical Recipes) with a fixed seed: part of the format. */
function randomSigns(size: number): Float32Array {
  let state = 0x5eed;
  return Float32Array.from({ length: size }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return state < 0 ? -1 : 1;
  });
}
