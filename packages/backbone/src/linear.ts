import type { Graph, Value } from './onnx/graph.js';
import type { WeightSource } from './weight-source.js';

/**
 * A linear layer of the checkpoint, with its bias if it has one.
 *
 * Its weight is [outputs, inputs]: FusedMatMul reads it transposed, so that no copy is turned at load.
 * @param name the layer's name without `.weight`
 */
export function linear(graph: Graph, weights: WeightSource, name: string, value: Value): Value {
  const [product = ''] = graph.contrib('FusedMatMul', [value, weights.float32(`${name}.weight`)], {
    transB: { int: 1 },
  });
  return weights.has(`${name}.bias`) ? graph.op('Add', [product, weights.float32(`${name}.bias`)]) : product;
}
