import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { layerTensor } from '../checkpoint/tensor-plan.js';
import type { WeightSource } from '../checkpoint/weight-source.js';
import type { Graph, Value } from '../onnx/graph.js';
import type { Casts } from './casts.js';
import { headNorm, linear } from './layers.js';
import { ropeTables } from './rope.js';

/**
 * Queries, keys and values of packed tokens before the rotation: [tokens, heads * headDim] each, in the compute type.
 */
interface Projected {
  queries: Value;
  keys: Value;
  values: Value;
}

/** Attention of one block: projections to [tokens, numHeads * headDim] of the same type, before o_proj. */
export type Attend = (projected: Projected, layer: number) => Value;

/**
 * A block's whole attention, from the q, k and v projections to o_proj, without the norm before it.
 * @param hidden float32 [tokens, hidden]
 * @returns the same
 */
export function attention(
  graph: Graph,
  weights: WeightSource,
  config: BackboneConfig,
  layer: number,
  hidden: Value,
  attend: Attend,
): Value {
  const { casts } = weights;
  const narrowed = casts.narrow(hidden);
  const project = (name: string): Value =>
    linear(graph, weights, layerTensor(layer, `self_attn.${name}_proj`), narrowed);
  const normed = (name: 'q' | 'k', heads: number): Value => {
    const value = project(name);
    if (config.family !== 'qwen3') return value;
    const weight = weights.float32(layerTensor(layer, `self_attn.${name}_norm.weight`));
    return casts.narrow(headNorm(graph, casts.widen(value), weight, heads, config));
  };
  const projected = {
    queries: normed('q', config.numHeads),
    keys: normed('k', config.numKvHeads),
    values: project('v'),
  };
  return casts.widen(
    linear(graph, weights, layerTensor(layer, 'self_attn.o_proj'), attend(projected, layer)),
  );
}

/** Attention scores are divided by the square root of the head size. */
export const attentionScale = (config: BackboneConfig): number => 1 / Math.sqrt(config.headDim);

/**
 * The rotation's tables, float32 [positions, width / 2] each.
 * @param width the head size with padding; positions beyond the true size are not rotated
 */
export function ropeConstants(
  graph: Graph,
  config: BackboneConfig,
  positions: number,
  width = config.headDim,
): { cos: Value; sin: Value } {
  const tables = ropeTables(config.rope, config.headDim, positions, width);
  const shape = [positions, width / 2];
  return {
    cos: graph.constant('rope_cos', shape, tables.cos),
    sin: graph.constant('rope_sin', shape, tables.sin),
  };
}

/** onnxruntime's rotary kernels (GroupQueryAttention, RotaryEmbedding) only take head sizes that are multiples of this. */
const KERNEL_MULTIPLE = 16;

/** A head size padded for those kernels. */
const paddedHeadDim = ({ headDim }: BackboneConfig): number =>
  Math.ceil(headDim / KERNEL_MULTIPLE) * KERNEL_MULTIPLE;

/**
 * Pads heads for the kernels and removes the padding. The rotation pairs the first half of a head with the second, so
 * each half is padded with zeros separately. Zeros do not change products, and the scale stays that of the true size.
 */
export class HeadPadding {
  readonly #graph: Graph;
  readonly #casts: Casts;
  readonly #half: number;
  /** The padded head size. */
  readonly headDim: number;

  constructor(graph: Graph, casts: Casts, config: BackboneConfig) {
    this.#graph = graph;
    this.#casts = casts;
    this.#half = config.headDim / 2;
    this.headDim = paddedHeadDim(config);
  }

  get #isNeeded(): boolean {
    return this.headDim !== 2 * this.#half;
  }

  /** [tokens, heads * true size] to [tokens, heads * padded size], in the compute type. */
  pad(value: Value, heads: number): Value {
    if (!this.#isNeeded) return value;
    const halves = this.#graph.op('Reshape', [
      // CUDA's Pad does not support bfloat16.
      this.#casts.widen(value),
      this.#graph.shape([-1, 2 * heads, this.#half]),
    ]);
    const missing = this.headDim / 2 - this.#half;
    const padded = this.#graph.op('Pad', [halves, this.#graph.shape([0, 0, 0, 0, 0, missing])]);
    return this.#casts.narrow(
      this.#graph.op('Reshape', [padded, this.#graph.shape([-1, heads * this.headDim])]),
    );
  }

  /** The inverse. */
  unpad(value: Value, heads: number): Value {
    if (!this.#isNeeded) return value;
    const halves = this.#graph.op('Reshape', [value, this.#graph.shape([-1, 2 * heads, this.headDim / 2])]);
    const own = this.#graph.shape(Array.from({ length: this.#half }, (_, i) => i));
    const kept = this.#graph.op('Gather', [halves, own], { axis: { int: 2 } });
    return this.#graph.op('Reshape', [kept, this.#graph.shape([-1, heads * 2 * this.#half])]);
  }
}
