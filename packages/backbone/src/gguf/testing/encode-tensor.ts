import type { TensorType } from '../tensor-type.js';

/** Quantized blocks all have this scale and, for Q4_1, this minimum: then multiples of it are exact in every type. */
export const STEP = 0.25;
export const MINIMUM = -2;
const BLOCK = 32;

/** A value that every type can hold exactly, out of a code of 0 to 15. */
export const exact = (code: number): number => MINIMUM + STEP * (code & 15);

/** Encodes values that `type` holds exactly: any for F32; multiples of STEP, for Q4_1 from MINIMUM on, for the others. */
export function encodeTensor(type: TensorType, values: ArrayLike<number>): Buffer {
  const all = Array.from(values);
  switch (type) {
    case 'F32':
      return Buffer.from(new Uint8Array(Float32Array.from(all).buffer));
    case 'F16':
      return words(all.map(halfCode));
    case 'BF16':
      return words(all.map((value) => new Uint16Array(Float32Array.of(value).buffer)[1] ?? 0));
    case 'Q8_0':
      return inBlocks(all, (block) => [
        words([halfCode(STEP)]),
        Buffer.from(block.map((value) => value / STEP)),
      ]);
    case 'Q4_1':
      return inBlocks(all, (block) => {
        const codes = block.map((value) => (value - MINIMUM) / STEP);
        const pairs = codes.slice(0, BLOCK / 2).map((low, i) => low + 16 * (codes[i + BLOCK / 2] ?? 0));
        return [words([halfCode(STEP), halfCode(MINIMUM)]), Buffer.from(pairs)];
      });
  }
}

function inBlocks(values: number[], encode: (block: number[]) => Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < values.length; i += BLOCK) parts.push(...encode(values.slice(i, i + BLOCK)));
  return Buffer.concat(parts);
}

/** The half-precision code of a value that needs no rounding and is no subnormal. */
function halfCode(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + fraction;
}

function words(codes: number[]): Buffer {
  return Buffer.from(new Uint8Array(Uint16Array.from(codes).buffer));
}
