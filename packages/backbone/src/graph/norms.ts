import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import type { Graph, Value } from '../onnx/graph.js';

/** RMSNorm over the last dimension. */
export function rmsNorm(graph: Graph, value: Value, weight: Value, epsilon: number): Value {
  return graph.op('SimplifiedLayerNormalization', [value, weight], {
    axis: { int: -1 },
    epsilon: { float: epsilon },
  });
}

/** Residual add and RMSNorm in one operator, which gives back the sum too. */
export function addAndNorm(
  graph: Graph,
  residual: Value,
  value: Value,
  weight: Value,
  epsilon: number,
): { normed: Value; sum: Value } {
  const [normed = '', , , sum = ''] = graph.contrib(
    'SkipSimplifiedLayerNormalization',
    [residual, value, weight],
    { epsilon: { float: epsilon } },
    [undefined, '', '', undefined],
  );
  return { normed, sum };
}

/** Qwen3's norm of each head's queries or keys, before the rotation. `value` is [tokens, heads * headDim]. */
export function headNorm(
  graph: Graph,
  value: Value,
  weight: Value,
  heads: number,
  config: BackboneConfig,
): Value {
  const perHead = graph.op('Reshape', [value, graph.shape([-1, heads, config.headDim])]);
  const normed = rmsNorm(graph, perHead, weight, config.rmsNormEps);
  return graph.op('Reshape', [normed, graph.shape([-1, heads * config.headDim])]);
}
