import type { Graph, Value } from './onnx/graph.js';
import type { WeightSource } from './weight-source.js';

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
        // 1 is float32 on the CPU: 4, which rounds the activations to 8 bits, was no faster there and less exact.
        accuracy_level: { int: 1 },
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
