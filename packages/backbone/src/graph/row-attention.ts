import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import type { Graph, Value } from '../onnx/graph.js';
import { DataType } from '../onnx/proto.js';
import { type Attend, attentionScale, HeadPadding, ropeConstants } from './attention.js';
import type { Casts } from './casts.js';

/** The index tensors that convert between packed tokens and rows (see BATCH_INPUTS). */
export interface RowLayout {
  padIndex: Value;
  unpadIndex: Value;
  lastPosition: Value;
  longest: Value;
}

/**
 * Attention within whole rows: GroupQueryAttention on [rows, longest], which rotates, masks and repeats heads itself.
 * @param positions number of positions in the rotary tables
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
      // The operator requires names for the unused present keys and values.
      [undefined, undefined, undefined],
    );
    const flat = graph.op('Reshape', [out, graph.shape([-1, config.numHeads * padding.headDim])]);
    return padding.unpad(graph.op('Gather', [flat, layout.unpadIndex]), config.numHeads);
  };
}

/** Added to the attention score of a masked key. Finite, since exp of minus infinity is unreliable on GPUs. */
const UNSEEN = -1e30;

/**
 * Attention within whole rows in basic operators: rotation, two products and a softmax. For WebGPU, where onnxruntime 1.30's
 * GroupQueryAttention is wrong by up to 0.3 in a score once a row has 32 tokens and the device offers subgroups.
 * Computed in float32 whatever the compute type; memory grows with the square of the row length.
 * @param positions number of positions in the rotary tables
 */
export function plainAttention(
  graph: Graph,
  casts: Casts,
  config: BackboneConfig,
  layout: RowLayout,
  positions: number,
): Attend {
  const { numHeads, numKvHeads, headDim } = config;
  const group = numHeads / numKvHeads;
  const padding = new HeadPadding(graph, casts, config);
  const rope = ropeConstants(graph, config, positions, padding.headDim);
  const firstPosition = graph.integers('first_position', [0]);
  const scale = graph.constant('attention_scale', [], Float32Array.of(attentionScale(config)));
  const longest = graph.op('Cast', [layout.longest], { to: { int: DataType.INT64 } });
  const perHead = graph.op(
    'Concat',
    [graph.shape([0, numHeads, -1]), graph.op('Reshape', [longest, graph.shape([1])])],
    { axis: { int: 0 } },
  );
  const perKvHead = graph.op(
    'Concat',
    [graph.shape([0, numKvHeads, -1]), graph.op('Reshape', [longest, graph.shape([1])])],
    { axis: { int: 0 } },
  );
  const unseen = causalMask(graph, longest);

  const sideBySide = (value: Value): Value => graph.op('Gather', [value, layout.padIndex]);
  const rotated = (value: Value, heads: number): Value => {
    const padded = sideBySide(casts.widen(padding.pad(value, heads)));
    const [turned = ''] = graph.contrib('RotaryEmbedding', [padded, firstPosition, rope.cos, rope.sin], {});
    return turned;
  };
  const reshaped = (value: Value, ...dims: number[]): Value =>
    graph.op('Reshape', [value, graph.shape(dims)]);
  const transposed = (value: Value, ...perm: number[]): Value =>
    graph.op('Transpose', [value], { perm: { ints: perm } });

  return ({ queries, keys, values }) => {
    // Heads that share keys form one matrix of [heads of the group * longest, size].
    const width = padding.headDim;
    const grouped = transposed(
      reshaped(rotated(queries, numHeads), 0, 0, numKvHeads, group, width),
      ...[0, 2, 3, 1, 4],
    );
    const asked = reshaped(graph.op('Mul', [grouped, scale]), 0, numKvHeads, -1, width);
    const looked = transposed(reshaped(rotated(keys, numKvHeads), 0, 0, numKvHeads, width), 0, 2, 3, 1);
    const carried = transposed(
      reshaped(sideBySide(casts.widen(values)), 0, 0, numKvHeads, headDim),
      ...[0, 2, 1, 3],
    );
    const scores = graph.op('Reshape', [graph.op('MatMul', [asked, looked]), perHead]);
    const shares = graph.op('Softmax', [graph.op('Add', [scores, unseen])], { axis: { int: -1 } });
    const out = graph.op('MatMul', [graph.op('Reshape', [shares, perKvHead]), carried]);
    const perToken = transposed(reshaped(out, 0, numHeads, -1, headDim), 0, 2, 1, 3);
    const flat = reshaped(perToken, -1, numHeads * headDim);
    return casts.narrow(graph.op('Gather', [flat, layout.unpadIndex]));
  };
}

/** float32 [longest, longest]: 0 where a token (first dimension) sees a token (second dimension), UNSEEN elsewhere. */
function causalMask(graph: Graph, longest: Value): Value {
  const zero = graph.constant('zero', [], BigInt64Array.of(0n));
  const one = graph.constant('one', [], BigInt64Array.of(1n));
  const places = graph.op('Range', [zero, longest, one]);
  const sees = graph.op('LessOrEqual', [
    graph.op('Unsqueeze', [places, graph.shape([0])]),
    graph.op('Unsqueeze', [places, graph.shape([1])]),
  ]);
  const added = graph.constant('unseen', [], Float32Array.of(UNSEEN));
  return graph.op('Where', [sees, graph.constant('seen', [], Float32Array.of(0)), added]);
}
