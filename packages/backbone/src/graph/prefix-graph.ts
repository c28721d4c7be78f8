import { type Artifact, type ContentArtifact, lastLayerOf } from '@tocsin/siren';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { type PlacedWeights, WeightSource } from '../checkpoint/weight-source.js';
import { undoRotation } from '../int8/undo-rotation.js';
import { Graph, type Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import type { Numerics } from '../precision.js';
import { type Attend, attentionScale, HeadPadding, ropeConstants } from './attention.js';
import type { Casts } from './casts.js';
import { decoderBlocks } from './decoder-blocks.js';
import { contentScores, selectNeurons, tapOf, trajectoryScores } from './head-graph.js';

/**
 * The inputs of a prefix graph, besides `pastKeys(layer)` and `pastValues(layer)`: float32 [past tokens, kv heads *
 * head size], the rows' pasts concatenated. New tokens are packed, as in a batch graph.
 */
export const PREFIX_INPUTS = {
  /** int64 [tokens]: the new tokens of all rows, concatenated. */
  tokenIds: 'token_ids',
  /** int64 [tokens, 1]: each new token's position in its row, from 0. */
  positions: 'positions',
  /** int64 [rows, longest]: the new token at each place of the padded layout. */
  padIndex: 'pad_index',
  /** int64 [tokens]: the place of each new token in the flattened padded layout. */
  unpadIndex: 'unpad_index',
  /** int64 [rows, keys]: each row's tokens, past and new, as indices into all pasts followed by all new tokens. */
  keyIndex: 'key_index',
  /** bool [rows, 1, longest, keys]: the keys that a place may attend to. */
  mask: 'mask',
  /** Content guards, float32 [tokens, tokens]: 1/(position + 1) for the new tokens of the row up to this one. */
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
 * A guard as a graph that scores every prefix of a row in one pass and continues where an earlier pass ended: in a causal
 * backbone the states of earlier tokens never change, so their keys, values and running sums suffice.
 *
 * @param tensors  places of the tensors of `planTensors`, relative to the model's directory
 * @param numerics compute type and device; defaults to float32 on a CPU
 * @param options  see `RoundedLayers`
 * @returns the bytes of `prefix.onnx`
 */
export function buildPrefixGraph(
  config: BackboneConfig,
  artifact: Artifact,
  tensors: PlacedWeights,
  numerics?: Numerics,
  options?: { isUnsigned?: boolean },
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
  const weights = new WeightSource(graph, tensors, numerics, options);
  const attend = prefixAttention(graph, weights.casts, config, layout, artifact.maxLength);
  const taps = decoderBlocks(graph, weights, config, artifact, tokenIds, attend);
  const back = undoRotation(graph, weights, config, artifact);
  const tap = (layer: number): Value => back(tapOf(taps, layer), layer);
  if (artifact.task === 'trajectory') {
    trajectoryScores(graph, artifact, tap(lastLayerOf(artifact)), PREFIX_SCORES);
  } else {
    contentScores(graph, artifact, runningMeans(graph, artifact, tap), PREFIX_SCORES);
  }
  graph.output(PREFIX_SCORES, DataType.FLOAT, ['tokens']);
  return graph.encode('tocsin_prefix');
}

/** Each layer's neurons averaged over every new token's prefix: the past's sums plus the new tokens up to it. */
function runningMeans(graph: Graph, artifact: ContentArtifact, tap: (layer: number) => Value): Value[] {
  const sizes = artifact.layers.map(({ neurons }) => neurons.length);
  const neurons = sizes.reduce((sum, size) => sum + size, 0);
  const pooling = graph.input(PREFIX_INPUTS.pooling, DataType.FLOAT, ['tokens', 'tokens']);
  const pastSums = graph.input(PREFIX_INPUTS.pastSums, DataType.FLOAT, ['rows', neurons]);
  const pastShare = graph.input(PREFIX_INPUTS.pastShare, DataType.FLOAT, ['tokens', 'rows']);

  const selected = artifact.layers.map((layer) => selectNeurons(graph, layer, tap(layer.index)));
  const all = graph.op('Concat', selected, { axis: { int: 1 } });
  const ofNew = graph.op('MatMul', [pooling, all]);
  const ofPast = graph.op('MatMul', [pastShare, pastSums]);
  const means = graph.op('Add', [ofNew, ofPast], {}, PREFIX_MEANS);
  graph.output(PREFIX_MEANS, DataType.FLOAT, ['tokens', neurons]);
  return graph.split(means, sizes, 1);
}

/** Positions of the new tokens and the keys that each may attend to (see PREFIX_INPUTS). */
interface PrefixLayout {
  positions: Value;
  padIndex: Value;
  unpadIndex: Value;
  keyIndex: Value;
  mask: Value;
}

/** Names of block `layer`'s inputs and outputs: rotated keys and values of the past and of the new tokens. */
export const pastKeys = (layer: number): string => `past_keys_${layer}`;
export const pastValues = (layer: number): string => `past_values_${layer}`;
export const newKeys = (layer: number): string => `new_keys_${layer}`;
export const newValues = (layer: number): string => `new_values_${layer}`;

/**
 * Causal attention of new tokens over the past and themselves, for rows with pasts of different lengths.
 * GroupQueryAttention requires equal lengths, so rotation, mask and layout are in the graph here. Keys and values are
 * float32 whatever the compute type.
 */
function prefixAttention(
  graph: Graph,
  casts: Casts,
  config: BackboneConfig,
  layout: PrefixLayout,
  positions: number,
): Attend {
  const padding = new HeadPadding(graph, casts, config);
  const rope = ropeConstants(graph, config, positions, padding.headDim);
  const rotated = (value: Value, heads: number): Value => {
    const padded = casts.widen(padding.pad(value, heads));
    // Each token is a row of length one: as one long row, a pass would be limited to the tables' positions.
    const [turned = ''] = graph.contrib(
      'RotaryEmbedding',
      [graph.op('Unsqueeze', [padded, graph.shape([1])]), layout.positions, rope.cos, rope.sin],
      {},
    );
    return padding.unpad(graph.op('Squeeze', [turned, graph.shape([1])]), heads);
  };
  const width = config.numKvHeads * config.headDim;
  const remembered = (value: Value, past: string, output: string): Value => {
    graph.output(output, DataType.FLOAT, ['tokens', width]);
    graph.op('Identity', [value], {}, output);
    const before = graph.input(past, DataType.FLOAT, ['past_tokens', width]);
    const all = graph.op('Concat', [before, value], { axis: { int: 0 } });
    return graph.op('Gather', [all, layout.keyIndex]);
  };
  return ({ queries, keys, values }, layer) => {
    const out = graph.op(
      'Attention',
      [
        graph.op('Gather', [rotated(queries, config.numHeads), layout.padIndex]),
        remembered(rotated(keys, config.numKvHeads), pastKeys(layer), newKeys(layer)),
        remembered(casts.widen(values), pastValues(layer), newValues(layer)),
        layout.mask,
      ],
      {
        q_num_heads: { int: config.numHeads },
        kv_num_heads: { int: config.numKvHeads },
        scale: { float: attentionScale(config) },
      },
    );
    const flat = graph.op('Reshape', [out, graph.shape([-1, config.numHeads * config.headDim])]);
    return casts.narrow(graph.op('Gather', [flat, layout.unpadIndex]));
  };
}
