export { AlignedText, type Span } from './aligned-text.js';
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
} from './artifact.js';
export { cleanText, cleanTextAligned, joinPromptResponse } from './clean-text.js';
export { type ContentInput, textOf } from './content.js';
export { bytesOfTokenIds, contentHash, tokenIdsOfBytes } from './content-hash.js';
export { float32OfBfloat16, float32OfBytes, float32OfFloat16, halfToNumber } from './float-formats.js';
export type { NamedBytes } from './head-tensors.js';
export { readArtifact } from './read-artifact.js';
export {
  HEADER_LENGTH_BYTES,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
  type TensorInfo,
} from './safetensors.js';
export * from './trajectory/index.js';
