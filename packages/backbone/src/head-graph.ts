import type { Artifact } from '@tocsin/siren';
import type { Graph, Value } from './onnx/graph.js';

const HARMFUL_CLASS = 1;

/**
 * Pooling, neuron selection, layer weights, head and softmax (paper arXiv 2604.18519; llm-siren
 * `_aggregate_features` and `_score_texts`).
 *
 * @param taps    each layer's values, float32 [tokens, hidden]
 * @param pooling float32 [rows, tokens], see CONTENT_INPUTS
 * @param output  name for the result, float32 [rows]
 */
export function headScores(
  graph: Graph,
  artifact: Artifact,
  taps: Value[],
  pooling: Value,
  output: Value,
): void {
  const features = artifact.layers.map((layer) => {
    const tap = taps[layer.index];
    if (tap === undefined) throw new Error(`no tap was built for layer ${layer.index}`);
    const pooled = graph.op('MatMul', [pooling, tap]);
    const neurons = graph.integers(`neurons_${layer.index}`, layer.neurons);
    const selected = graph.op('Gather', [pooled, neurons], { axis: { int: 1 } });
    const weight = graph.constant(`layer_weight_${layer.index}`, [], Float32Array.of(layer.weight));
    return graph.op('Mul', [selected, weight]);
  });
  let hidden = graph.op('Concat', features, { axis: { int: 1 } });
  for (const [i, layer] of artifact.head.entries()) {
    const weight = graph.constant(`head_${i}_weight`, [layer.outputs, layer.inputs], layer.weight);
    const bias = graph.constant(`head_${i}_bias`, [layer.outputs], layer.bias);
    hidden = graph.op('Gemm', [hidden, weight, bias], { transB: { int: 1 } });
    if (i < artifact.head.length - 1) hidden = graph.op('Relu', [hidden]);
  }
  const probabilities = graph.op('Softmax', [hidden], { axis: { int: 1 } });
  const harmful = graph.constant('harmful_class', [], BigInt64Array.of(BigInt(HARMFUL_CLASS)));
  graph.op('Gather', [probabilities, harmful], { axis: { int: 1 } }, output);
}
