import { type Artifact, type ContentArtifact, lastLayerOf } from '@tocsin/siren';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { type PlacedWeights, WeightSource } from '../checkpoint/weight-source.js';
import { Graph, type Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import type { Numerics } from '../precision.js';
import { decoderBlocks } from './decoder-blocks.js';
import { contentScores, selectNeurons, tapOf, trajectoryScores } from './head-graph.js';
import { prefixAttention } from './prefix-attention.js';

/**
 * The inputs of a prefix graph, beside `pastKeys(layer)` and `pastValues(layer)`: float32 [past tokens, kv heads *
 * head size], the rows' pasts one after another. New tokens travel packed, as in a batch graph.
 */
export const PREFIX_INPUTS = {
  /** int64 [tokens]: the new tokens of all rows, row after row. */
  tokenIds: 'token_ids',
  /** int64 [tokens, 1]: each new token's position in its row, counted from the row's very beginning. */
  positions: 'positions',
  /** int64 [rows, longest]: for each place of the padded layout, the new token that goes there. */
  padIndex: 'pad_index',
  /** int64 [tokens]: for each new token, its place in the flattened padded layout. */
  unpadIndex: 'unpad_index',
  /** int64 [rows, keys]: each row's tokens, past and new, as indices into all pasts followed by all new tokens. */
  keyIndex: 'key_index',
  /** bool [rows, 1, longest, keys]: which keys a place may look at. */
  mask: 'mask',
  /** Content guards, float32 [tokens, tokens]: 1/(position + 1) for each new token up to this one in its row. */
  pooling: 'pooling',
  /** Content guards, float32 [rows, neurons]: each row's selected neurons, summed over its past. */
  pastSums: 'past_sums',
  /** Content guards, float32 [tokens, rows]: 1/(position + 1) in the token's own row. */
  pastShare: 'past_share',
} as const;

/** float32 [tokens]: P(harmful) of each row's prefix that ends with the token. */
export const PREFIX_SCORES = 'scores';
/** Content guards, float32 [tokens, neurons]: the selected neurons' mean over that prefix. */
export const PREFIX_MEANS = 'means';

/**
 * A guard as a graph that scores every prefix of a row in one pass, and goes on from where an earlier pass ended: a
 * causal backbone's states of earlier tokens never change, so their keys, values and running sums are all it needs.
 *
 * @param tensors  where each tensor of `planTensors` is, relative to the directory the model will be in
 * @param numerics what is computed in, and where; float32 on a CPU when not given
 * @returns the bytes of `prefix.onnx`
 */
export function buildPrefixGraph(
  config: BackboneConfig,
  artifact: Artifact,
  tensors: PlacedWeights,
  numerics?: Numerics,
): Uint8Array {
  const graph = new Graph();
  const { INT64 } = DataType;
  const tokenIds = graph.input(PREFIX_INPUTS.tokenIds, INT64, ['tokens']);
  const layout = {
    positions: graph.input(PREFIX_INPUTS.positions, INT64, ['tokens', 1]),
    padIndex: graph.input(PREFIX_INPUTS.padIndex, INT64, ['rows', 'longest']),
    unpadIndex: graph.input(PREFIX_INPUTS.unpadIndex, INT64, ['tokens']),
    keyIndex: graph.input(PREFIX_INPUTS.keyIndex, INT64, ['rows', 'keys']),
    mask: graph.input(PREFIX_INPUTS.mask, DataType.BOOL, ['rows', 1, 'longest', 'keys']),
  };
  const weights = new WeightSource(graph, tensors, numerics);
  const attend = prefixAttention(graph, weights.casts, config, layout, artifact.maxLength);
  const taps = decoderBlocks(graph, weights, config, artifact, tokenIds, attend);
  if (artifact.task === 'trajectory') {
    trajectoryScores(graph, artifact, tapOf(taps, lastLayerOf(artifact)), PREFIX_SCORES);
  } else {
    contentScores(graph, artifact, runningMeans(graph, artifact, taps), PREFIX_SCORES);
  }
  graph.output(PREFIX_SCORES, DataType.FLOAT, ['tokens']);
  return graph.encode('tocsin_prefix');
}

/** Each layer's neurons, averaged over each new token's prefix: the past's sums and the new tokens up to it. */
function runningMeans(graph: Graph, artifact: ContentArtifact, taps: readonly Value[]): Value[] {
  const sizes = artifact.layers.map(({ neurons }) => neurons.length);
  const neurons = sizes.reduce((sum, size) => sum + size, 0);
  const pooling = graph.input(PREFIX_INPUTS.pooling, DataType.FLOAT, ['tokens', 'tokens']);
  const pastSums = graph.input(PREFIX_INPUTS.pastSums, DataType.FLOAT, ['rows', neurons]);
  const pastShare = graph.input(PREFIX_INPUTS.pastShare, DataType.FLOAT, ['tokens', 'rows']);

  const selected = artifact.layers.map((layer) => selectNeurons(graph, layer, tapOf(taps, layer.index)));
  const all = graph.op('Concat', selected, { axis: { int: 1 } });
  const ofNew = graph.op('MatMul', [pooling, all]);
  const ofPast = graph.op('MatMul', [pastShare, pastSums]);
  const means = graph.op('Add', [ofNew, ofPast], {}, PREFIX_MEANS);
  graph.output(PREFIX_MEANS, DataType.FLOAT, ['tokens', neurons]);
  return graph.split(means, sizes, 1);
}
