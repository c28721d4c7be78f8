import { BATCH_FEATURES, BATCH_INPUTS, BATCH_SCORES } from '@tocsin/backbone';
import type { Task } from '@tocsin/siren';
import type { BatchRequest, EngineOptions } from '../process/engine-protocol.js';
import { InferenceSession, Tensor } from '../process/onnxruntime.js';
import { sessionOptions } from '../process/session-options.js';
import { packBatch } from './pack-batch.js';

/** A guard's model, loaded. One forward pass at a time. */
export class BatchSession {
  readonly #session: InferenceSession;
  readonly #task: Task;

  private constructor(session: InferenceSession, task: Task) {
    this.#session = session;
    this.#task = task;
  }

  static async load(options: EngineOptions): Promise<BatchSession> {
    return new BatchSession(
      await InferenceSession.create(options.modelFile, sessionOptions(options)),
      options.task,
    );
  }

  /**
   * P(harmful) of each row, and its features if they are asked for. Blocks the process while it runs:
   * onnxruntime-node's run is synchronous.
   */
  async run({
    tokenIds,
    lengths,
    features = false,
  }: Pick<BatchRequest, 'tokenIds' | 'lengths' | 'features'>): Promise<Float32Array[]> {
    const batch = packBatch(this.#task, tokenIds, lengths);
    const feeds = {
      [BATCH_INPUTS.tokenIds]: new Tensor('int64', batch.tokenIds, [batch.tokens]),
      [BATCH_INPUTS.padIndex]: new Tensor('int64', batch.padIndex, [batch.rows, batch.longest]),
      [BATCH_INPUTS.unpadIndex]: new Tensor('int64', batch.unpadIndex, [batch.tokens]),
      [BATCH_INPUTS.lastPosition]: new Tensor('int32', batch.lastPosition, [batch.rows]),
      [BATCH_INPUTS.longest]: new Tensor('int32', Int32Array.of(batch.longest), []),
      [BATCH_INPUTS.pooling]: new Tensor('float32', batch.pooling, [batch.rows, batch.tokens]),
    };
    const names = features ? [BATCH_SCORES, BATCH_FEATURES] : [BATCH_SCORES];
    const outputs = await this.#session.run(feeds, names);
    const read = (name: string): Float32Array => {
      const data = outputs[name]?.data;
      if (!(data instanceof Float32Array)) throw new Error(`the model gave no float32 ${name}`);
      return data;
    };
    const scores = read(BATCH_SCORES);
    const bad = scores.findIndex((score) => !(score >= 0 && score <= 1));
    if (bad >= 0) throw new Error(`row ${bad} of the batch scored ${scores[bad]}, which is no probability`);
    // The session's own memory is used again: what leaves must be a copy.
    return names.map((name) => read(name).slice());
  }
}
