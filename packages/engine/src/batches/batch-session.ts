import { BATCH_FEATURES, BATCH_INPUTS, BATCH_SCORES } from '@tocsin/backbone';
import type { Task } from '@tocsin/siren';
import type { BatchRequest, EngineOptions } from '../process/engine-protocol.js';
import { loadModel } from '../process/load-model.js';
import { type InferenceSession, Tensor } from '../process/onnxruntime.js';

/** A guard's loaded model. Runs one forward pass at a time. */
export class BatchSession {
  readonly #session: InferenceSession;
  readonly #task: Task;

  private constructor(session: InferenceSession, task: Task) {
    this.#session = session;
    this.#task = task;
  }

  static async load(options: EngineOptions): Promise<BatchSession> {
    return new BatchSession(await loadModel(options), options.task);
  }

  /**
   * P(harmful) of each row, and its features on request. Blocks the process: onnxruntime-node's run is synchronous.
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
    // The session reuses its memory, so results must be copies.
    return names.map((name) => read(name).slice());
  }
}

/** The inputs of a batch graph; see BATCH_INPUTS of @tocsin/backbone. */
export interface PackedBatch {
  rows: number;
  tokens: number;
  longest: number;
  tokenIds: BigInt64Array;
  padIndex: BigInt64Array;
  unpadIndex: BigInt64Array;
  lastPosition: Int32Array;
  pooling: Float32Array;
}

/**
 * Lays out a batch for the graph.
 * @param task     a content guard reads the mean of a row's tokens, a trajectory guard the last one
 * @param tokenIds the rows' token ids, concatenated
 * @param lengths  tokens of each row, at least 1
 */
export function packBatch(task: Task, tokenIds: Int32Array, lengths: Int32Array): PackedBatch {
  const tokens = tokenIds.length;
  const rows = lengths.length;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const batch: PackedBatch = {
    rows,
    tokens,
    longest,
    tokenIds: BigInt64Array.from(tokenIds, BigInt),
    // Padding holds token 0: attention is causal and never looks beyond a row's end.
    padIndex: new BigInt64Array(rows * longest),
    unpadIndex: new BigInt64Array(tokens),
    lastPosition: lengths.map((length) => length - 1),
    pooling: new Float32Array(rows * tokens),
  };
  let token = 0;
  for (const [row, length] of lengths.entries()) {
    if (length < 1) throw new RangeError(`row ${row} has no tokens`);
    const ofRow = batch.pooling.subarray(row * tokens + token, row * tokens + token + length);
    if (task === 'content') ofRow.fill(1 / length);
    else ofRow[length - 1] = 1;
    for (let position = 0; position < length; position++, token++) {
      const place = row * longest + position;
      batch.padIndex[place] = BigInt(token);
      batch.unpadIndex[token] = BigInt(place);
    }
  }
  if (token !== tokens) throw new RangeError(`lengths add up to ${token} tokens, ${tokens} were given`);
  return batch;
}
