import { halfToNumber } from '@tocsin/siren';

const CODES = 65_536;
let table: Float32Array | undefined;

/** The float32 value of each of the 65,536 half-precision codes. Built once: a look-up beats taking each code apart. */
export function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: CODES }, (_, code) => halfToNumber(code));
  return table;
}
