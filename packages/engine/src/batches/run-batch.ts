import type { Engine } from '../process/engine.js';

/** What one forward pass gave. */
export interface BatchResult {
  /** P(harmful) of each row. */
  scores: Float32Array;
  /** Milliseconds in the engine process. */
  runMs: number;
}

/**
 * One forward pass: what batching and calibration need of an engine. Passes run in the order of the calls; one that
 * `recall` asks back before it has begun rejects with a RecalledError.
 */
export type RunBatch = (
  tokenIds: Int32Array,
  lengths: Int32Array,
  recall?: AbortSignal,
) => Promise<BatchResult>;

/** Forward passes over whole rows with an engine that was started for batches. */
export function batchesOf(engine: Engine): RunBatch {
  return async (tokenIds, lengths, recall) => {
    const { scores, runMs } = await engine.run({ type: 'batch', tokenIds, lengths }, recall);
    const [ofRows] = scores;
    if (ofRows?.length !== lengths.length) throw new Error('a pass gave another number of scores than rows');
    return { scores: ofRows, runMs };
  };
}
