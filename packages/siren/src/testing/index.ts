/** For tests, of this package and of those above it: the golden guards, and a writer of safetensors files. */
export {
  CONTENT_GUARDS,
  type GoldenCase,
  type GoldenGuard,
  goldenArtifact,
  goldenCases,
  goldenDirs,
} from './golden.js';
export { float32Tensor, type TensorSpec, withHeader, writeSafetensors } from './write-safetensors.js';
