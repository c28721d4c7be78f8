export type { RowOutcome } from './batcher.js';
export { type Content, prepareContents } from './content.js';
export type { CostModel } from './cost-model.js';
export {
  Guard,
  type GuardInfo,
  type GuardOptions,
  type ScoreOptions,
  type ScoreResult,
  type StreamOptions,
} from './guard.js';
export { type OpenGuard, type OpenGuardOptions, openGuard } from './open-guard.js';
export { PrefixStream, type StreamScore } from './prefix-stream.js';
export { Scorer, type ScorerOptions } from './scorer.js';
export { Tokenizer } from './tokenizer.js';
export type { Trace, TracedToken } from './trace.js';
