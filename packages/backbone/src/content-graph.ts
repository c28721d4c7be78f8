import type { Artifact } from '@tocsin/siren';
import { lastLayerOf } from '@tocsin/siren';
import type { BackboneConfig } from './backbone-config.js';
import { decoderBlocks } from './decoder-blocks.js';
import { headScores } from './head-graph.js';
import { Graph } from './onnx/graph.js';
import { DataType } from './onnx/proto.js';
import { type PlacedTensor, WeightSource } from './weight-source.js';

/**
 * The inputs of a content graph. A batch travels packed: its rows' tokens one after another, no padding between
 * them. Only attention sees rows side by side: two index tensors lay the tokens out as [rows, longest] and back.
 */
export const CONTENT_INPUTS = {
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
  /** float32 [rows, tokens]: 1/length where the token is the row's, 0 elsewhere. */
  pooling: 'pooling',
} as const;
/** float32 [rows]: P(harmful) of each row. */
export const CONTENT_OUTPUT = 'scores';

/**
 * The whole of a content guard as one ONNX graph: token ids in, one score a row out. Backbone blocks up to the last
 * layer read, pooling, neuron selection, layer weights, head and softmax are inside.
 *
 * @param tensors where each tensor of `planTensors` is, relative to the directory the model will be in
 * @returns the bytes of `model.onnx`
 */
export function buildContentGraph(
  config: BackboneConfig,
  artifact: Artifact,
  tensors: ReadonlyMap<string, PlacedTensor>,
): Uint8Array {
  const graph = new Graph();
  const { tokenIds, padIndex, unpadIndex, lastPosition, longest, pooling } = CONTENT_INPUTS;
  const batch = {
    tokenIds: graph.input(tokenIds, DataType.INT64, ['tokens']),
    padIndex: graph.input(padIndex, DataType.INT64, ['rows', 'longest']),
    unpadIndex: graph.input(unpadIndex, DataType.INT64, ['tokens']),
    lastPosition: graph.input(lastPosition, DataType.INT32, ['rows']),
    longest: graph.input(longest, DataType.INT32, []),
  };
  const poolingMatrix = graph.input(pooling, DataType.FLOAT, ['rows', 'tokens']);

  const weights = new WeightSource(graph, tensors);
  const taps = decoderBlocks(graph, weights, config, batch, {
    lastLayer: lastLayerOf(artifact),
    maxLength: artifact.maxLength,
    pooling: artifact.pooling,
  });
  headScores(graph, artifact, taps, poolingMatrix, CONTENT_OUTPUT);
  graph.output(CONTENT_OUTPUT, DataType.FLOAT, ['rows']);
  return graph.encode('tocsin_content_guard');
}
