import type { WeightSource } from '../checkpoint/weight-source.js';
import type { Graph, Value } from '../onnx/graph.js';

/**
 * What MatMulNBits may compute in on a CPU: 1 is float32, 4 rounds the activations to 8 bits, block by block. Measured
 * (3072 outputs, 1024 inputs, 2 cores with AVX2): with 4-bit weights float32 is as fast as 4, and more exact. With 8-bit
 * weights it takes all of them back to floats at every pass, 20 to 80 times the time of 4 where few tokens go through;
 * 4 costs 0.75 % of the product's norm against 0.53 %.
 */
const ACCURACY_LEVELS = { 4: 1, 8: 4 } as const;

/**
 * A linear layer of the checkpoint, with its bias if it has one: [tokens, inputs] to [tokens, outputs], both in the
 * type that is computed in.
 * @param name the layer's name without `.weight`
 */
export function linear(graph: Graph, weights: WeightSource, name: string, value: Value): Value {
  const product = multiply(graph, weights, `${name}.weight`, value);
  return weights.has(`${name}.bias`) ? graph.op('Add', [product, weights.narrow(`${name}.bias`)]) : product;
}

/** The weight is [outputs, inputs] and is read transposed, so that no copy is turned at load. */
function multiply(graph: Graph, weights: WeightSource, name: string, value: Value): Value {
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
  // FusedMatMul has no WebGPU kernel, and on a CPU it is what was measured.
  if (weights.numerics.device === 'webgpu')
    return graph.op('Gemm', [value, weights.narrow(name)], { transB: { int: 1 } });
  const [product = ''] = graph.contrib('FusedMatMul', [value, weights.narrow(name)], { transB: { int: 1 } });
  return product;
}
