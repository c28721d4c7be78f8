import { type Artifact, lastLayerOf } from '@tocsin/siren';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import { EMBEDDING, FINAL_NORM, layerTensor } from '../checkpoint/tensor-plan.js';
import type { WeightSource } from '../checkpoint/weight-source.js';
import type { Graph, Value } from '../onnx/graph.js';
import { type Attend, attention } from './attention.js';
import { addAndNorm, linear, rmsNorm } from './layers.js';

const NORM_1 = 'input_layernorm.weight';
const NORM_2 = 'post_attention_layernorm.weight';

/**
 * The backbone's blocks for packed tokens, up to the last one that the artifact reads.
 *
 * @param tokenIds int64 [tokens]
 * @returns each block's tap, float32 [tokens, hidden]. Content guards, `residual_mean`: the reference's
 *   `hidden_states[l + 1]` (after the final norm for the very last block); `mlp_mean`: the MLP's output before the
 *   residual add. Trajectory guards: the residual stream, never normed, as the reference's early exit leaves it.
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
  const project = (name: string, value: Value): Value =>
    linear(graph, weights, layerTensor(layer, `mlp.${name}_proj`), value);
  // QuickGelu with alpha 1 is x * sigmoid(x): silu in one pass over memory.
  const narrowed = weights.casts.narrow(hidden);
  const [gate = ''] = graph.contrib('QuickGelu', [project('gate', narrowed)], { alpha: { float: 1 } });
  return weights.casts.widen(project('down', graph.op('Mul', [gate, project('up', narrowed)])));
}
