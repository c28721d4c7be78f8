import { type Artifact, lastLayerOf } from '@tocsin/siren';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { type PlacedWeights, WeightSource } from '../checkpoint/weight-source.js';
import { Graph } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import type { Numerics } from '../precision.js';
import { decoderBlocks } from './decoder-blocks.js';
import { contentScores, selectNeurons, tapOf, trajectoryScores } from './head-graph.js';
import { plainAttention } from './plain-attention.js';
import { rowAttention } from './row-attention.js';

/**
 * The inputs of a batch graph. A batch travels packed: its rows' tokens one after another, no padding between
 * them. Only attention sees rows side by side: two index tensors lay the tokens out as [rows, longest] and back.
 */
export const BATCH_INPUTS = {
  /** int64 [tokens]: token ids of all rows, row after row. */
  tokenIds: 'token_ids',
  /** int64 [rows, longest]: for each place of the padded layout, the packed token that goes there. */
  padIndex: 'pad_index',
  /** int64 [tokens]: for each packed token, its place in the flattened padded layout. */
  unpadIndex: 'unpad_index',
  /** int32 [rows]: tokens of each row, less one. */
  lastPosition: 'last_position',
  /** int32 []: tokens of the longest row. */
  longest: 'longest',
  /** float32 [rows, tokens]: each token's share of what the head reads of a row (see packBatch of @tocsin/engine). */
  pooling: 'pooling',
} as const;
/** float32 [rows]: P(harmful) of each row. */
export const BATCH_SCORES = 'scores';

/**
 * float32 [rows, features]: what the head reads of each row, before it is weighted. Scores can be equal though much is
 * wrong before them (a head that is sure); these are not. Read only when a device is checked.
 */
export const BATCH_FEATURES = 'features';

/**
 * The whole of a guard as one ONNX graph: rows of token ids in, one score a row out. Backbone blocks up to the last
 * layer read, pooling, neuron selection, layer weights, head and softmax are inside.
 *
 * @param tensors  where each tensor of `planTensors` is, relative to the directory the model will be in
 * @param numerics what is computed in, and where; float32 on a CPU when not given
 * @returns the bytes of `model.onnx`
 */
export function buildBatchGraph(
  config: BackboneConfig,
  artifact: Artifact,
  tensors: PlacedWeights,
  numerics?: Numerics,
): Uint8Array {
  const graph = new Graph();
  const tokenIds = graph.input(BATCH_INPUTS.tokenIds, DataType.INT64, ['tokens']);
  const layout = {
    padIndex: graph.input(BATCH_INPUTS.padIndex, DataType.INT64, ['rows', 'longest']),
    unpadIndex: graph.input(BATCH_INPUTS.unpadIndex, DataType.INT64, ['tokens']),
    lastPosition: graph.input(BATCH_INPUTS.lastPosition, DataType.INT32, ['rows']),
    longest: graph.input(BATCH_INPUTS.longest, DataType.INT32, []),
  };
  const pooling = graph.input(BATCH_INPUTS.pooling, DataType.FLOAT, ['rows', 'tokens']);

  const weights = new WeightSource(graph, tensors, numerics);
  const attention = weights.numerics.device === 'webgpu' ? plainAttention : rowAttention;
  const attend = attention(graph, weights.casts, config, layout, artifact.maxLength);
  const taps = decoderBlocks(graph, weights, config, artifact, tokenIds, attend);
  const pooled = (layer: number): string => graph.op('MatMul', [pooling, tapOf(taps, layer)]);
  if (artifact.task === 'trajectory') {
    const state = pooled(lastLayerOf(artifact));
    graph.op('Identity', [state], {}, BATCH_FEATURES);
    trajectoryScores(graph, artifact, state, BATCH_SCORES);
  } else {
    const features = artifact.layers.map((layer) => selectNeurons(graph, layer, pooled(layer.index)));
    graph.op('Concat', features, { axis: { int: 1 } }, BATCH_FEATURES);
    contentScores(graph, artifact, features, BATCH_SCORES);
  }
  graph.output(BATCH_SCORES, DataType.FLOAT, ['rows']);
  graph.output(BATCH_FEATURES, DataType.FLOAT, ['rows', 'features']);
  return graph.encode('tocsin_batch');
}
