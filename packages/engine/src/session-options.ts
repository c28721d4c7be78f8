import type { InferenceSession } from 'onnxruntime-node';
import type { EngineOptions } from './engine-protocol.js';

/** How onnxruntime loads a model for an engine process. */
export function sessionOptions({ threads }: EngineOptions): InferenceSession.SessionOptions {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    // Batches come in every shape: the memory plan of one is of no use to the next.
    enableMemPattern: false,
    logSeverityLevel: 3,
  };
}
