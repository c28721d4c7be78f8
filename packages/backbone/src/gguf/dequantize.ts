import { halfTable } from './half.js';
import { BLOCKS, type TensorType } from './tensor-type.js';

/** Codes of one nibble. */
const HALF_BLOCK = 16;

/**
 * Writes the values of whole blocks to `out`, from element `start` on. The arithmetic is exact in double precision and
 * rounded once on storing, which is what ggml's float32 arithmetic gives for these types.
 * @param bytes whole blocks of `type`, starting at an even offset of their buffer (4 for F32)
 */
export function dequantize(type: TensorType, bytes: Uint8Array, out: Float32Array, start: number): void {
  switch (type) {
    case 'F32':
      new Uint8Array(out.buffer, out.byteOffset + start * 4, bytes.length).set(bytes);
      return;
    case 'F16':
      readF16(bytes, out, start);
      return;
    case 'BF16':
      readBF16(bytes, out, start);
      return;
    case 'Q8_0':
      readQ8_0(bytes, out, start);
      return;
    case 'Q4_1':
      readQ4_1(bytes, out, start);
      return;
  }
}

function readF16(bytes: Uint8Array, out: Float32Array, start: number): void {
  const half = halfTable();
  const codes = words(bytes);
  for (let i = 0; i < codes.length; i++) out[start + i] = half[codes[i] ?? 0] ?? 0;
}

/** bfloat16 is the upper half of a float32. */
function readBF16(bytes: Uint8Array, out: Float32Array, start: number): void {
  const codes = words(bytes);
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < codes.length; i++) bits[start + i] = (codes[i] ?? 0) << 16;
}

/** Block: half scale, 32 signed bytes. Value = scale * code. */
function readQ8_0(bytes: Uint8Array, out: Float32Array, start: number): void {
  const { elements, bytes: blockBytes } = BLOCKS.Q8_0;
  const half = halfTable();
  const header = words(bytes);
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  let to = start;
  for (let block = 0; block < bytes.length; block += blockBytes) {
    const scale = half[header[block >> 1] ?? 0] ?? 0;
    const first = block + 2;
    for (let i = 0; i < elements; i++) out[to++] = scale * (codes[first + i] ?? 0);
  }
}

/** Block: half scale, half minimum, 16 bytes. Low nibbles are elements 0 to 15, high ones 16 to 31. Value = scale * code + minimum. */
function readQ4_1(bytes: Uint8Array, out: Float32Array, start: number): void {
  const { elements, bytes: blockBytes } = BLOCKS.Q4_1;
  const half = halfTable();
  const header = words(bytes);
  let to = start;
  for (let block = 0; block < bytes.length; block += blockBytes) {
    const scale = half[header[block >> 1] ?? 0] ?? 0;
    const minimum = half[header[(block >> 1) + 1] ?? 0] ?? 0;
    const first = block + 4;
    for (let i = 0; i < HALF_BLOCK; i++) {
      const pair = bytes[first + i] ?? 0;
      out[to + i] = scale * (pair & 15) + minimum;
      out[to + HALF_BLOCK + i] = scale * (pair >> 4) + minimum;
    }
    to += elements;
  }
}

function words(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
}
