import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import type { Graph, Value } from '../onnx/graph.js';
import { type Attend, attentionScale, ropeConstants } from './attention.js';
import type { Casts } from './casts.js';
import { HeadPadding } from './head-padding.js';

/** What lays packed tokens out row by row and back (see BATCH_INPUTS). */
export interface RowLayout {
  padIndex: Value;
  unpadIndex: Value;
  lastPosition: Value;
  longest: Value;
}

/**
 * Attention inside whole rows: GroupQueryAttention on [rows, longest], which rotates, masks and repeats heads by
 * itself. Packed tokens are laid out for it and gathered back.
 * @param positions the rotary tables cover
 */
export function rowAttention(
  graph: Graph,
  casts: Casts,
  config: BackboneConfig,
  layout: RowLayout,
  positions: number,
): Attend {
  const padding = new HeadPadding(graph, casts, config);
  const rope = ropeConstants(graph, config, positions, padding.headDim);
  const [cos, sin] = [casts.narrow(rope.cos), casts.narrow(rope.sin)];
  const sideBySide = (value: Value): Value => graph.op('Gather', [value, layout.padIndex]);
  return ({ queries, keys, values }) => {
    const [out = ''] = graph.contrib(
      'GroupQueryAttention',
      [
        sideBySide(padding.pad(queries, config.numHeads)),
        sideBySide(padding.pad(keys, config.numKvHeads)),
        sideBySide(padding.pad(values, config.numKvHeads)),
        '', // no past keys
        '', // no past values
        layout.lastPosition,
        layout.longest,
        cos,
        sin,
      ],
      {
        num_heads: { int: config.numHeads },
        kv_num_heads: { int: config.numKvHeads },
        do_rotary: { int: 1 },
        scale: { float: attentionScale(config) },
      },
      // The operator wants its present keys and values named, though nothing reads them.
      [undefined, undefined, undefined],
    );
    const flat = graph.op('Reshape', [out, graph.shape([-1, config.numHeads * padding.headDim])]);
    return padding.unpad(graph.op('Gather', [flat, layout.unpadIndex]), config.numHeads);
  };
}
