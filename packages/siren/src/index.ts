export {
  type Artifact,
  type ContentArtifact,
  lastLayerOf,
  type Task,
  type TrajectoryArtifact,
} from './artifact/artifact.js';
export { foldCalibration } from './artifact/fold-calibration.js';
export { readArtifact } from './artifact/read-artifact.js';
export {
  float32OfBfloat16,
  float32OfFloat16,
  HEADER_LENGTH_BYTES,
  halfToNumber,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
} from './artifact/safetensors.js';
export {
  AlignedText,
  cleanText,
  cleanTextAligned,
  type Span,
} from './text/clean-text.js';
export { type ContentInput, contentHash, textOf } from './text/content.js';
export { GrowingText } from './text/growing-text.js';
export { type ChatFormat, ChatTemplate, chatFormatOf } from './trajectory/chat-template.js';
export { renderTrajectory, type TrajectoryInput } from './trajectory/render-trajectory.js';
