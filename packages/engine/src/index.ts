export { PRECISIONS, type Precision } from '@tocsin/backbone';
export type { BatcherScoreOptions, Pass, RowOutcome } from './batcher.js';
export type { Content } from './content.js';
export type { CostModel } from './cost-model.js';
export type { DeviceVerdict } from './devices/check-device.js';
export { type CudaFacts, cudaFacts } from './devices/cuda-libraries.js';
export { DEVICE_NAMES, type Device, deviceName, parseDevice } from './devices/device.js';
export { cudaProblem, type DeviceProblem, deviceProblem } from './devices/explain-device.js';
export { probeDevice } from './devices/probe-device.js';
export { type RuntimeFacts, runtimeFacts } from './devices/runtime-facts.js';
export type { EngineMessage, EngineReply } from './engine-protocol.js';
export {
  Guard,
  type GuardInfo,
  type GuardOptions,
  type ScoreOptions,
  type ScoreResult,
  type StreamOptions,
} from './guard.js';
export type { ChatMessage, StreamPiece } from './item-stream.js';
export type { LaneName } from './lane.js';
export { type CompiledEntry, listCompiled } from './list-compiled.js';
export { type OpenGuard, type OpenGuardOptions, openGuard } from './open-guard.js';
export { PrefixStream, type StreamScore } from './prefix-stream.js';
export { type Item, Preparation } from './preparation.js';
export { Scorer, type ScorerOptions } from './scorer.js';
export { Tokenizer } from './tokenizer.js';
export type { Trace, TracedToken } from './trace.js';
