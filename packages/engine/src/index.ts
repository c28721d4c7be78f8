export { PRECISIONS, type Precision } from '@tocsin/backbone';
export type { BatcherScoreOptions, Pass } from './batches/batcher.js';
export type { RowOutcome } from './batches/lanes.js';
export type { CostModel } from './batches/plan-batches.js';
export { Scorer, type ScorerOptions } from './batches/scorer.js';
export { type CompiledEntry, listCompiled } from './compiled/compiled-guard.js';
export { type OpenGuard, type OpenGuardOptions, openGuard } from './compiled/open-guard.js';
export type { DeviceVerdict } from './devices/check-device.js';
export { type CudaFacts, cudaFacts } from './devices/cuda-libraries.js';
export { DEVICE_NAMES, type Device, deviceName, parseDevice } from './devices/device.js';
export { cudaProblem, type DeviceProblem, deviceProblem } from './devices/explain-device.js';
export { probeDevice, type RuntimeFacts, runtimeFacts } from './devices/probe-device.js';
export {
  Guard,
  type GuardInfo,
  type GuardOptions,
  type ScoreOptions,
  type ScoreResult,
  type StreamOptions,
} from './guard.js';
export type { Content } from './items/preparation.js';
export { type Item, Preparation } from './items/preparation.js';
export { Tokenizer } from './items/tokenizer.js';
export type { ChatMessage, StreamPiece } from './prefixes/prefix-stream.js';
export { PrefixStream, type StreamScore } from './prefixes/prefix-stream.js';
export type { Trace, TracedToken } from './prefixes/trace.js';
export type { EngineMessage, EngineReply } from './process/engine-protocol.js';
