import { CONTENT_INPUTS, CONTENT_OUTPUT } from '@tocsin/backbone';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { EngineOptions } from './engine-protocol.js';
import { packBatch } from './pack-batch.js';

/** A content guard's model, loaded. One forward pass at a time. */
export class ContentSession {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  static async load(options: EngineOptions): Promise<ContentSession> {
    return new ContentSession(
      await InferenceSession.create(options.modelFile, {
        executionProviders: ['cpu'],
        intraOpNumThreads: options.threads,
        // Batches come in every shape: the memory plan of one is of no use to the next.
        enableMemPattern: false,
        logSeverityLevel: 3,
      }),
    );
  }

  /** P(harmful) of each row. Blocks the process while it runs: onnxruntime-node's run is synchronous. */
  async run(tokenIds: Int32Array, lengths: Int32Array): Promise<Float32Array> {
    const batch = packBatch(tokenIds, lengths);
    const outputs = await this.#session.run({
      [CONTENT_INPUTS.tokenIds]: new Tensor('int64', batch.tokenIds, [batch.tokens]),
      [CONTENT_INPUTS.padIndex]: new Tensor('int64', batch.padIndex, [batch.rows, batch.longest]),
      [CONTENT_INPUTS.unpadIndex]: new Tensor('int64', batch.unpadIndex, [batch.tokens]),
      [CONTENT_INPUTS.lastPosition]: new Tensor('int32', batch.lastPosition, [batch.rows]),
      [CONTENT_INPUTS.longest]: new Tensor('int32', Int32Array.of(batch.longest), []),
      [CONTENT_INPUTS.pooling]: new Tensor('float32', batch.pooling, [batch.rows, batch.tokens]),
    });
    const scores = outputs[CONTENT_OUTPUT]?.data;
    if (!(scores instanceof Float32Array)) throw new Error('the model gave no float32 scores');
    const bad = scores.findIndex((score) => !(score >= 0 && score <= 1));
    if (bad >= 0) throw new Error(`row ${bad} of the batch scored ${scores[bad]}, which is no probability`);
    // The session's own memory is used again: what leaves must be a copy.
    return scores.slice();
  }
}
