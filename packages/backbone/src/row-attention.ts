import { type Attend, attentionScale, ropeConstants } from './attention.js';
import type { BackboneConfig } from './backbone-config.js';
import type { Casts } from './casts.js';
import type { Graph, Value } from './onnx/graph.js';

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
  const rope = ropeConstants(graph, config, positions);
  const [cos, sin] = [casts.narrow(rope.cos), casts.narrow(rope.sin)];
  const sideBySide = (value: Value): Value => graph.op('Gather', [value, layout.padIndex]);
  return ({ queries, keys, values }) => {
    const [out = ''] = graph.contrib(
      'GroupQueryAttention',
      [
        sideBySide(queries),
        sideBySide(keys),
        sideBySide(values),
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
    const flat = graph.op('Reshape', [out, graph.shape([-1, config.numHeads * config.headDim])]);
    return graph.op('Gather', [flat, layout.unpadIndex]);
  };
}
