import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { layerTensor } from '../checkpoint/tensor-plan.js';
import type { WeightSource } from '../checkpoint/weight-source.js';
import type { Graph, Value } from '../onnx/graph.js';
import { linear } from './linear.js';
import { headNorm } from './norms.js';
import { ropeTables } from './rope.js';

/**
 * Queries, keys and values of packed tokens, before the rotation: [tokens, heads * headDim] each, in the type that is
 * computed in.
 */
interface Projected {
  queries: Value;
  keys: Value;
  values: Value;
}

/** Attention of one block, from its projections to [tokens, numHeads * headDim] of the same type; o_proj comes after. */
export type Attend = (projected: Projected, layer: number) => Value;

/**
 * Projects, attends and projects back: a block's whole attention, without the norm before it.
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

/** Scores are divided by the root of the head's size. */
export const attentionScale = (config: BackboneConfig): number => 1 / Math.sqrt(config.headDim);

/**
 * The rotation's tables, float32 [positions, width / 2] each.
 * @param width the head's size, or what it is padded to: places beyond the head's own are not turned
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
