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
 * Attention within whole rows: GroupQueryAttention on [rows, longest], which rotates, masks and repeats heads itself. For CUDA.
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
 * Attention within whole rows in basic operators: rotation, two products and a softmax, in float32 whatever the compute type.
 *
 * On a CPU it is faster than GroupQueryAttention (1.1 times for rows of 64 tokens, 2 times for rows of 512) when the
 * queries are computed in parts, each over the keys up to its own end: a causal row needs half of its products. On
 * WebGPU it replaces onnxruntime 1.30's GroupQueryAttention, which is wrong by up to 0.3 in a score once a row has 32
 * tokens and the device offers subgroups. Memory grows with the square of the row length, divided by the parts.
 * @param positions number of positions in the rotary tables
 */
export function plainAttention(
  graph: Graph,
  casts: Casts,
  config: BackboneConfig,
  layout: Omit<RowLayout, 'lastPosition'>,
  positions: number,
  device: 'cpu' | 'webgpu',
): Attend {
  const { numHeads, numKvHeads, headDim } = config;
  const padding = new HeadPadding(graph, casts, config);
  const width = padding.headDim;
  const rope = ropeConstants(graph, config, positions, width);
  // Scores are scaled by scaling the queries, in their rotation.
  const scale = graph.constant('attention_scale', [], Float32Array.of(attentionScale(config)));
  const ofQueries = { cos: graph.op('Mul', [rope.cos, scale]), sin: graph.op('Mul', [rope.sin, scale]) };
  const firstPosition = graph.integers('first_position', [0]);
  const ranges = queryParts(graph, layout.longest, {
    parts: QUERY_PARTS[device],
    numHeads,
    numKvHeads,
    width,
  });

  const sideBySide = (value: Value): Value => graph.op('Gather', [value, layout.padIndex]);
  const rotated = (value: Value, heads: number, { cos, sin }: { cos: Value; sin: Value }): Value => {
    const padded = sideBySide(casts.widen(padding.pad(value, heads)));
    const [turned = ''] = graph.contrib('RotaryEmbedding', [padded, firstPosition, cos, sin], {});
    return turned;
  };
  const reshaped = (value: Value, ...dims: number[]): Value =>
    graph.op('Reshape', [value, graph.shape(dims)]);
  const transposed = (value: Value, ...perm: number[]): Value =>
    graph.op('Transpose', [value], { perm: { ints: perm } });

  const upTo = (value: Value, part: QueryPart, axis: number): Value =>
    part.isLast ? value : slice(graph, value, undefined, part.to, axis);

  return ({ queries, keys, values }) => {
    // [rows, heads, longest, size]; keys are transposed: [rows, heads, size, longest].
    const q = transposed(reshaped(rotated(queries, numHeads, ofQueries), 0, 0, numHeads, width), 0, 2, 1, 3);
    const k = transposed(reshaped(rotated(keys, numKvHeads, rope), 0, 0, numKvHeads, width), 0, 2, 3, 1);
    const v = transposed(
      reshaped(sideBySide(casts.widen(values)), 0, 0, numKvHeads, headDim),
      ...[0, 2, 1, 3],
    );
    const outs = ranges.map((part) => {
      // The queries of heads that share keys form one matrix.
      const ofPart = ranges.length === 1 ? q : slice(graph, q, part.from, part.to, 2);
      const scores = graph.op('MatMul', [graph.op('Reshape', [ofPart, part.products]), upTo(k, part, 3)]);
      const masked = graph.op('Add', [graph.op('Reshape', [scores, part.perHead]), part.mask]);
      const shares = graph.op('Softmax', [masked], { axis: { int: -1 } });
      const out = graph.op('MatMul', [graph.op('Reshape', [shares, part.perKvHead]), upTo(v, part, 2)]);
      return reshaped(out, 0, numHeads, -1, headDim);
    });
    const whole = outs.length === 1 ? (outs[0] ?? '') : graph.op('Concat', outs, { axis: { int: 2 } });
    const flat = reshaped(transposed(whole, 0, 2, 1, 3), -1, numHeads * headDim);
    return casts.narrow(graph.op('Gather', [flat, layout.unpadIndex]));
  };
}

/** Parts of a row's queries. More than 4 gain nothing on a CPU; a GPU is faster with few large products. */
const QUERY_PARTS = { cpu: 4, webgpu: 1 };

/** A part of the queries, as indices, masks and shapes of the graph. A part of a very short row may be empty. */
interface QueryPart {
  /** Its keys are all keys. */
  isLast: boolean;
  /** int64 [1]: its first query, and the end of its queries and keys. */
  from: Value;
  to: Value;
  /** float32 [queries, keys]: 0 where a query may see a key, UNSEEN elsewhere. */
  mask: Value;
  /** Shape of its scores: [rows, heads, queries, keys]. */
  perHead: Value;
  /** Shape of its scores: [rows, kv heads, group * queries, keys]. */
  perKvHead: Value;
  /** Shape of its queries: [rows, kv heads, group * queries, width]. */
  products: Value;
}

function queryParts(
  graph: Graph,
  longest: Value,
  {
    parts,
    numHeads,
    numKvHeads,
    width,
  }: { parts: number; numHeads: number; numKvHeads: number; width: number },
): QueryPart[] {
  const length = graph.op('Cast', [longest], { to: { int: DataType.INT64 } });
  const whole = graph.op('Reshape', [length, graph.shape([1])]);
  const mask = causalMask(graph, length);
  const count = graph.integers('query_parts', [parts]);
  const end = (part: number): Value =>
    graph.op('Div', [graph.op('Mul', [whole, graph.integers(`query_part_${part}`, [part])]), count]);
  const ends = Array.from({ length: parts + 1 }, (_, part) =>
    part === 0 ? graph.shape([0]) : part === parts ? whole : end(part),
  );
  const concat = (...values: Value[]): Value => graph.op('Concat', values, { axis: { int: 0 } });
  return Array.from({ length: parts }, (_, part) => {
    const [from = '', to = ''] = [ends[part], ends[part + 1]];
    const queries = graph.op('Sub', [to, from]);
    const ofGroup = graph.op('Mul', [queries, graph.shape([numHeads / numKvHeads])]);
    return {
      isLast: part === parts - 1,
      from,
      to,
      mask: slice(graph, slice(graph, mask, from, to, 0), undefined, to, 1),
      perHead: concat(graph.shape([0, numHeads]), queries, to),
      perKvHead: concat(graph.shape([0, numKvHeads]), ofGroup, to),
      products: concat(graph.shape([0, numKvHeads]), ofGroup, graph.shape([width])),
    };
  });
}

/** The part of a value from one index (default: the first) to before another, along an axis. */
function slice(graph: Graph, value: Value, from: Value | undefined, to: Value, axis: number): Value {
  return graph.op('Slice', [value, from ?? graph.shape([0]), to, graph.shape([axis])]);
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
