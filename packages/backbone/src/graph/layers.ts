import type { BackboneConfig } from '../checkpoint/backbone-config.js';
import type { WeightSource } from '../checkpoint/weight-source.js';
import type { Graph, Value } from '../onnx/graph.js';

/**
 * `accuracy_level` of MatMulNBits on a CPU: 1 is float32, 4 rounds the activations to 8 bits per block. Measured
 * (3072 outputs, 1024 inputs, 2 cores with AVX2): with 4-bit weights level 1 is as fast as 4, and more exact. With 8-bit
 * weights level 1 dequantizes everything at every pass, 20 to 80 times slower than 4 for few tokens; level 4 has an
 * error of 0.75 % of the product's norm against 0.53 %.
 */
const ACCURACY_LEVELS = { 4: 1, 8: 4 } as const;

/**
 * A linear layer of the checkpoint, with its bias if any: [tokens, inputs] to [tokens, outputs], in the compute type.
 * @param name the layer's name without `.weight`
 */
export function linear(graph: Graph, weights: WeightSource, name: string, value: Value): Value {
  const product = multiply(graph, weights, `${name}.weight`, value);
  return weights.has(`${name}.bias`) ? graph.op('Add', [product, weights.narrow(`${name}.bias`)]) : product;
}

/** The weight is [outputs, inputs] and multiplied transposed, so that loading makes no transposed copy. */
function multiply(graph: Graph, weights: WeightSource, name: string, value: Value): Value {
  const rounded = weights.roundedProduct(name, value);
  if (rounded !== undefined) return rounded;
  const quantized = weights.quantized(name);
  if (quantized !== undefined) {
    const { codes, scales, zeroPoints, format, inputs, outputs } = quantized;
    const [product = ''] = graph.contrib(
      'MatMulNBits',
      [value, codes, scales, ...(zeroPoints === '' ? [] : [zeroPoints])],
      {
        K: { int: inputs },
        N: { int: outputs },
        bits: { int: format.bits },
        block_size: { int: format.blockSize },
        accuracy_level: { int: ACCURACY_LEVELS[format.bits] },
      },
    );
    return product;
  }
  // FusedMatMul has no WebGPU kernel.
  if (weights.numerics.device === 'webgpu')
    return graph.op('Gemm', [value, weights.narrow(name)], { transB: { int: 1 } });
  const [product = ''] = graph.contrib('FusedMatMul', [value, weights.narrow(name)], { transB: { int: 1 } });
  return product;
}

/** RMSNorm over the last dimension. */
export function rmsNorm(graph: Graph, value: Value, weight: Value, epsilon: number): Value {
  return graph.op('SimplifiedLayerNormalization', [value, weight], {
    axis: { int: -1 },
    epsilon: { float: epsilon },
  });
}

/** Residual add and RMSNorm in one operator, which also returns the sum. */
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
