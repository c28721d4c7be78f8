/** The largest float16. */
const HALF_MAX = 65_504;

/** Tensor types that floats are written as. */
export type FloatType = 'F32' | 'F16' | 'BF16';
export const FLOAT_BYTES: Record<FloatType, number> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Values in another type, rounded to the nearest (ties to even), little-endian.
 * @throws RangeError naming the first value that float16 cannot hold
 */
export function encodeFloats(values: Float32Array, type: FloatType): Uint8Array {
  if (type === 'F32') return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const codes = new Uint16Array(values.length);
  if (type === 'BF16') {
    for (let i = 0; i < bits.length; i++) codes[i] = bfloat16Bits(bits[i] ?? 0);
    return new Uint8Array(codes.buffer);
  }
  for (let i = 0; i < bits.length; i++) {
    const code = float16Bits(bits[i] ?? 0);
    if ((code & 0x7fff) === 0x7c00) {
      throw new RangeError(`${values[i]} is beyond float16, which ends at ${HALF_MAX}`);
    }
    codes[i] = code;
  }
  return new Uint8Array(codes.buffer);
}

/** The upper half of a float32's bits, rounded. */
function bfloat16Bits(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

/** A float16's bits out of a float32's. What is too large comes to infinity. */
function float16Bits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude > 0x7f800000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477ff000) return sign | 0x7c00;
  // Below 2^-14 float16 counts in steps of 2^-24.
  if (magnitude < 0x38800000) return sign | subnormalSteps(magnitude);
  // Exponents are biased by 127 in float32 and by 15 in float16; 13 bits of the fraction go.
  const rebiased = magnitude - 0x38000000;
  return sign | ((rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13);
}

function subnormalSteps(magnitude: number): number {
  const exponent = (magnitude >>> 23) - 127;
  if (exponent < -25) return 0;
  const fraction = (magnitude & 0x7fffff) | 0x800000;
  const shift = -1 - exponent;
  const half = 1 << (shift - 1);
  const steps = fraction >>> shift;
  const rest = fraction & ((1 << shift) - 1);
  return rest > half || (rest === half && (steps & 1) === 1) ? steps + 1 : steps;
}
