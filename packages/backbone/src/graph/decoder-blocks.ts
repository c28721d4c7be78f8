import { type Artifact, lastLayerOf } from '@tocsin/siren';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { EMBEDDING, FINAL_NORM, layerTensor } from '../checkpoint/tensor-plan.js';
import type { WeightSource } from '../checkpoint/weight-source.js';
import type { Graph, Value } from '../onnx/graph.js';
import { type Attend, attention } from './attention.js';
import { addAndNorm, linear, rmsNorm } from './layers.js';

export const NORM_1 = 'input_layernorm.weight';
export const NORM_2 = 'post_attention_layernorm.weight';

/**
 * The backbone's blocks for packed tokens, up to the last one that the artifact reads.
 *
 * @param tokenIds int64 [tokens]
 * @returns each block's tap, float32 [tokens, hidden]. Content guards, `residual_mean`: the reference's
 *   `hidden_states[l + 1]` (after the final norm for the very last block); `mlp_mean`: the MLP's output before the
 *   residual add. Trajectory guards: the residual stream, never normed, as the reference's early exit leaves it.
 *   Rotated if the weights are: see `undoRotation`.
 */
export function decoderBlocks(
  graph: Graph,
  weights: WeightSource,
  config: BackboneConfig,
  artifact: Artifact,
  tokenIds: Value,
  attend: Attend,
): Value[] {
  const lastLayer = lastLayerOf(artifact);
  const tapsMlp = artifact.task === 'content' && artifact.pooling === 'mlp_mean';
  const taps: Value[] = [];
  const embedded = graph.op('Gather', [weights.stored(EMBEDDING), tokenIds]);
  let residual = weights.cast(embedded, EMBEDDING);
  let normed = rmsNorm(graph, residual, weights.float32(layerTensor(0, NORM_1)), config.rmsNormEps);

  for (let layer = 0; layer <= lastLayer; layer++) {
    const attended = attention(graph, weights, config, layer, normed, attend);
    const middle = addAndNorm(
      graph,
      residual,
      attended,
      weights.float32(layerTensor(layer, NORM_2)),
      config.rmsNormEps,
    );
    const mlp = gatedMlp(graph, weights, layer, middle.normed);
    const isFinal = layer === config.numLayers - 1 && artifact.task === 'content';
    const norm = layer < lastLayer ? layerTensor(layer + 1, NORM_1) : isFinal ? FINAL_NORM : undefined;
    if (norm === undefined) {
      // The last block read has no norm after it: its output only feeds the tap.
      if (!tapsMlp) residual = graph.op('Add', [middle.sum, mlp]);
    } else {
      const end = addAndNorm(graph, middle.sum, mlp, weights.float32(norm), config.rmsNormEps);
      residual = isFinal ? end.normed : end.sum;
      normed = end.normed;
    }
    taps.push(tapsMlp ? mlp : residual);
  }
  return taps;
}

/** down(silu(gate(x)) * up(x)), float32 [tokens, hidden] to the same. */
function gatedMlp(graph: Graph, weights: WeightSource, layer: number, hidden: Value): Value {
  const name = (part: string): string => layerTensor(layer, `mlp.${part}`);
  const narrowed = weights.casts.narrow(hidden);
  const activation = gated(graph, weights, narrowed, name('gate_proj'), name('up_proj'));
  const mlp = weights.casts.widen(linear(graph, weights, name('down_proj'), activation));
  if (!weights.has(name('outlier_down.weight'))) return mlp;
  // 8-bit arithmetic: a few neurons are computed in float32.
  const outliers = gated(graph, weights, hidden, name('outlier_gate'), name('outlier_up'));
  const down = weights.float32(name('outlier_down.weight'));
  return graph.op('Gemm', [outliers, down, mlp], { transB: { int: 1 } });
}

/** silu(gate(x)) * up(x): the activations of an MLP's neurons. */
export function gated(graph: Graph, weights: WeightSource, value: Value, gate: string, up: string): Value {
  // QuickGelu with alpha 1 is x * sigmoid(x): silu in one pass over memory.
  const [opened = ''] = graph.contrib('QuickGelu', [linear(graph, weights, gate, value)], {
    alpha: { float: 1 },
  });
  return graph.op('Mul', [opened, linear(graph, weights, up, value)]);
}
