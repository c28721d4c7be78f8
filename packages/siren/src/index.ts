export {
  type Artifact,
  type BaseModel,
  type ContentArtifact,
  type DenseLayer,
  lastLayerOf,
  type Pooling,
  type Readout,
  type SelectedLayer,
  type Task,
  type TrajectoryArtifact,
} from './artifact/artifact.js';
export {
  float32OfBfloat16,
  float32OfBytes,
  float32OfFloat16,
  halfToNumber,
} from './artifact/float-formats.js';
export type { NamedBytes } from './artifact/head-tensors.js';
export { readArtifact } from './artifact/read-artifact.js';
export {
  HEADER_LENGTH_BYTES,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
  type TensorInfo,
} from './artifact/safetensors.js';
export { AlignedText, type Span } from './text/aligned-text.js';
export { cleanText, cleanTextAligned, joinPromptResponse } from './text/clean-text.js';
export { type ContentInput, textOf } from './text/content.js';
export { bytesOfTokenIds, contentHash, tokenIdsOfBytes } from './text/content-hash.js';
export * from './trajectory/index.js';
