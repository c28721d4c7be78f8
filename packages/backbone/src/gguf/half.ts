const CODES = 65_536;
let table: Float32Array | undefined;

/** The float32 value of each of the 65,536 half-precision codes. Built once: a look-up beats taking each code apart. */
export function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: CODES }, (_, code) => halfToNumber(code));
  return table;
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
function halfToNumber(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 0x1f;
  const fraction = code & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
