/** For tests, of this package and of those above it: one tiny model as GGUF and as safetensors. */
export { type TinyPair, writeTinyPair } from './tiny-pair.js';
