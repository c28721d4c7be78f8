export type { GgufTensor } from './gguf-tensor.js';
export { openGguf } from './open-gguf.js';
export { readGgufTensor } from './read-gguf-tensor.js';
