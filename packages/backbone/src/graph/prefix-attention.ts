import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import type { Graph, Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import { type Attend, attentionScale, ropeConstants } from './attention.js';
import type { Casts } from './casts.js';
import { HeadPadding } from './head-padding.js';

/** Where the new tokens stand, and which keys each may look at (see PREFIX_INPUTS). */
export interface PrefixLayout {
  positions: Value;
  padIndex: Value;
  unpadIndex: Value;
  keyIndex: Value;
  mask: Value;
}

/** The graph's inputs and outputs of block `layer`: keys and values, rotated, of the tokens before and of the new ones. */
export const pastKeys = (layer: number): string => `past_keys_${layer}`;
export const pastValues = (layer: number): string => `past_values_${layer}`;
export const newKeys = (layer: number): string => `new_keys_${layer}`;
export const newValues = (layer: number): string => `new_values_${layer}`;

/**
 * Attention of new tokens over those before them and themselves, for rows that each have a past of their own length.
 * GroupQueryAttention takes pasts of one length only, so rotation, mask and layout are in the graph here. Keys and
 * values are kept, and looked at, in float32 whatever the projections are computed in.
 */
export function prefixAttention(
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
    // A batch of tokens of length one: as one long row, a pass could have no more tokens than the tables have positions.
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
