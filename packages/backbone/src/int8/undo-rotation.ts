import type { Artifact } from '@tocsin/siren';
import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import type { WeightSource } from '../checkpoint/weight-source.js';
import type { Graph, Value } from '../onnx/graph.js';
import { Rotation } from './rotation.js';
import { UNROTATED_FINAL_NORM } from './store-int8.js';

/**
 * Returns a function that turns taps of `decoderBlocks` (or means of them) back into the backbone's own coordinates, where an
 * artifact's neurons are: float32 [any, hidden] to the same. Weights that were not rotated need nothing.
 */
export function undoRotation(
  graph: Graph,
  weights: WeightSource,
  config: BackboneConfig,
  artifact: Artifact,
): (value: Value, layer: number) => Value {
  if (!weights.isRotated) return (value) => value;
  const { hiddenSize, numLayers } = config;
  const rotation = new Rotation(hiddenSize);
  const signs = graph.constant('rotation_signs', [hiddenSize], rotation.signs);
  const factors = rotation.factors().map(({ size, matrix }, i) => ({
    size,
    matrix: graph.constant(`rotation_factor_${i}`, [size, size], matrix),
  }));
  const readsNormed = artifact.task === 'content' && artifact.pooling === 'residual_mean';
  return (value, layer) => {
    let turned = value;
    let before = 1;
    for (const { size, matrix } of factors) {
      const after = hiddenSize / before / size;
      const pieces = graph.op('Reshape', [turned, graph.shape([-1, before, size, after])]);
      turned = graph.op('MatMul', [matrix, pieces]);
      before *= size;
    }
    turned = graph.op('Mul', [graph.op('Reshape', [turned, graph.shape([-1, hiddenSize])]), signs]);
    if (!readsNormed || layer !== numLayers - 1) return turned;
    return graph.op('Mul', [turned, weights.float32(UNROTATED_FINAL_NORM)]);
  };
}
