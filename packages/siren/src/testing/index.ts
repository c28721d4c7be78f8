/** Test support for this package and those above it: golden guards, safetensors files, temporary directories. */

export {
  float32Tensor,
  readTensors,
  type TensorSpec,
  tempDir,
  withHeader,
  writeSafetensors,
} from './files.js';
export {
  CONTENT_GUARDS,
  type GoldenGuard,
  goldenArtifact,
  goldenCases,
  goldenDirs,
  goldenStream,
  goldenTrajectories,
} from './golden.js';
