import type { ContentArtifact, TrajectoryArtifact } from '@tocsin/siren';
import type { Graph, Value } from '../onnx/graph.js';

const HARMFUL_CLASS = 1;

/** The values tapped at a layer. */
export function tapOf(taps: readonly Value[], layer: number): Value {
  const tap = taps[layer];
  if (tap === undefined) throw new Error(`no tap was built for layer ${layer}`);
  return tap;
}

/** Selects a layer's safety neurons: [any, hidden] to [any, neurons]. */
export function selectNeurons(graph: Graph, layer: ContentArtifact['layers'][number], values: Value): Value {
  const neurons = graph.integers(`neurons_${layer.index}`, layer.neurons);
  return graph.op('Gather', [values, neurons], { axis: { int: 1 } });
}

/**
 * Layer weights, MLP and softmax (paper arXiv 2604.18519; llm-siren `_aggregate_features` and `_score_texts`).
 *
 * @param features each layer's pooled neurons, float32 [scores, neurons of the layer], in the artifact's order
 * @param output   name for the result, float32 [scores]
 */
export function contentScores(
  graph: Graph,
  artifact: ContentArtifact,
  features: Value[],
  output: Value,
): void {
  const weighted = artifact.layers.map(({ index, weight }, i) =>
    graph.op('Mul', [
      features[i] ?? '',
      graph.constant(`layer_weight_${index}`, [], Float32Array.of(weight)),
    ]),
  );
  let hidden = graph.op('Concat', weighted, { axis: { int: 1 } });
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

/**
 * sigmoid(w . state + b) (llm-siren `AgentSirenGuard._score`).
 *
 * @param states float32 [scores, hidden]
 * @param output name for the result, float32 [scores]
 */
export function trajectoryScores(
  graph: Graph,
  { readout }: TrajectoryArtifact,
  states: Value,
  output: Value,
): void {
  const weight = graph.constant('readout_weight', [1, readout.weight.length], readout.weight);
  const bias = graph.constant('readout_bias', [1], Float32Array.of(readout.bias));
  const logits = graph.op('Gemm', [states, weight, bias], { transB: { int: 1 } });
  graph.op('Sigmoid', [graph.op('Reshape', [logits, graph.shape([-1])])], {}, output);
}
