/** For tests, of this package and of those above it: one tiny model as GGUF and as safetensors. */

/** What quantized weights are, and what they stand for. */
export type { BlockFormat } from '../quantize/block-format.js';
export { blockLayout } from '../quantize/block-format.js';
export { quantizeRows } from '../quantize/quantize-rows.js';
export { dequantizeRows } from './dequantize-rows.js';
export { type TinyPair, writeTinyPair } from './tiny-pair.js';
