/** For tests, of this package and of those above it: golden guards, safetensors files, temporary directories. */
export {
  CONTENT_GUARDS,
  type GoldenCase,
  type GoldenGuard,
  type GoldenTrajectory,
  goldenArtifact,
  goldenCases,
  goldenDirs,
  goldenStream,
  goldenTrajectories,
} from './golden.js';
export { tempDir } from './temp-dir.js';
export {
  float32Tensor,
  readTensors,
  type TensorSpec,
  withHeader,
  writeSafetensors,
} from './write-safetensors.js';
