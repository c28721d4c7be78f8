/** Test support for this package and those above it: a tiny model as GGUF and as safetensors, quantized weights as floats. */
import { type BlockFormat, blockLayout, type QuantizedRows } from '../quantize.js';

export { Matrix, roundChannels } from '../int8/matrix.js';
export { RoundedLayers, type Rounding } from '../int8/rounded-layers.js';
export type { BlockFormat } from '../quantize.js';
export { blockLayout, quantizeRows } from '../quantize.js';
export { writeTinyPair } from './tiny-pair.js';

/** The values of quantized rows, [rows, inputs]. In graphs onnxruntime does this. */
export function dequantizeRows(rows: QuantizedRows, inputs: number, format: BlockFormat): Float32Array {
  const { bits, blockSize } = format;
  const { blocks, codeBytes, zeroPointBytes } = blockLayout(format, inputs);
  const count = rows.codes.length / codeBytes;
  const code = (bytes: Uint8Array, place: number, index: number): number =>
    bits === 8 ? (bytes[place + index] ?? 0) : ((bytes[place + (index >> 1)] ?? 0) >> (4 * (index & 1))) & 15;
  const zeroPoint = (row: number, block: number): number => {
    const { zeroPoints } = rows;
    if (zeroPoints === undefined) return 2 ** (bits - 1);
    if (zeroPoints instanceof Float32Array) return zeroPoints[row * blocks + block] ?? 0;
    return code(zeroPoints, row * zeroPointBytes, block);
  };
  return Float32Array.from({ length: count * inputs }, (_, at) => {
    const row = Math.floor(at / inputs);
    const input = at % inputs;
    const block = Math.floor(input / blockSize);
    const scale = rows.scales[row * blocks + block] ?? 0;
    return scale * (code(rows.codes, row * codeBytes, input) - zeroPoint(row, block));
  });
}
