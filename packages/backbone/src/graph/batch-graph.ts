import { type Artifact, lastLayerOf } from '@tocsin/siren';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { type PlacedWeights, WeightSource } from '../checkpoint/weight-source.js';
import { undoRotation } from '../int8/undo-rotation.js';
import { Graph } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import type { Numerics } from '../precision.js';
import { decoderBlocks } from './decoder-blocks.js';
import { contentScores, selectNeurons, tapOf, trajectoryScores } from './head-graph.js';
import { plainAttention, rowAttention } from './row-attention.js';

/**
 * The inputs of a batch graph. A batch is packed: its rows' tokens one after another, without padding. Only attention
 * needs a padded layout: two index tensors convert to [rows, longest] and back.
 */
export const BATCH_INPUTS = {
  /** int64 [tokens]: token ids of all rows, concatenated. */
  tokenIds: 'token_ids',
  /** int64 [rows, longest]: the packed token at each place of the padded layout. */
  padIndex: 'pad_index',
  /** int64 [tokens]: the place of each packed token in the flattened padded layout. */
  unpadIndex: 'unpad_index',
  /** int32 [rows]: tokens of each row, minus one. */
  lastPosition: 'last_position',
  /** int32 []: tokens of the longest row. */
  longest: 'longest',
  /** float32 [rows, tokens]: each token's weight in the row's pooled state (see packBatch of @tocsin/engine). */
  pooling: 'pooling',
} as const;
/** float32 [rows]: P(harmful) of each row. */
export const BATCH_SCORES = 'scores';

/**
 * float32 [rows, features]: the head's input before layer weights. Read only when a device is checked: a saturated head
 * can give equal scores for wrong features.
 */
export const BATCH_FEATURES = 'features';

/**
 * A whole guard as one ONNX graph: token ids in, one score per row out. Contains the backbone blocks up to the last
 * layer read, pooling, neuron selection, layer weights, head and softmax.
 *
 * @param tensors  places of the tensors of `planTensors`, relative to the model's directory
 * @param numerics compute type and device; defaults to float32 on a CPU
 * @param options  see `RoundedLayers`
 * @returns the bytes of `model.onnx`
 */
export function buildBatchGraph(
  config: BackboneConfig,
  artifact: Artifact,
  tensors: PlacedWeights,
  numerics?: Numerics,
  options?: { isUnsigned?: boolean },
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

  const weights = new WeightSource(graph, tensors, numerics, options);
  const { casts, numerics: computed } = weights;
  const attend =
    computed.device === 'cuda'
      ? rowAttention(graph, casts, config, layout, artifact.maxLength)
      : plainAttention(graph, casts, config, layout, artifact.maxLength, computed.device);
  const taps = decoderBlocks(graph, weights, config, artifact, tokenIds, attend);
  const back = undoRotation(graph, weights, config, artifact);
  const pooled = (layer: number): string => back(graph.op('MatMul', [pooling, tapOf(taps, layer)]), layer);
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
