export type { GgufTensor } from './gguf-tensor.js';
export type { Metadata } from './metadata.js';
export { type GgufFile, openGguf } from './open-gguf.js';
export { readGgufTensor } from './read-gguf-tensor.js';
export { BLOCKS as GGUF_BLOCKS, type TensorType as GgufTensorType } from './tensor-type.js';
