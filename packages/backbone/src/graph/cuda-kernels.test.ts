import { type Artifact, readArtifact } from '@tocsin/siren';
import { CONTENT_GUARDS, goldenArtifact, goldenDirs } from '@tocsin/siren/testing';
import { describe, expect, test } from 'vitest';
import { openCheckpoint } from '../checkpoint/checkpoint.js';
import { placed } from '../checkpoint/place-checkpoint.js';
import { isLinearWeight, planTensors, takeTensors } from '../checkpoint/tensor-plan.js';
import type { PlacedTensor, QuantizedTensor } from '../checkpoint/weight-source.js';
import { DataType } from '../onnx/proto.js';
import { numericsOf } from '../precision.js';
import { blockFormatOf } from '../quantize.js';
import { FLOAT_TYPES, type TypedNode, typedNodes } from '../testing/read-graph.js';
import { buildBatchGraph } from './batch-graph.js';
import { buildPrefixGraph } from './prefix-graph.js';

const { FLOAT, FLOAT16, BFLOAT16 } = DataType;
const ALL = [FLOAT, FLOAT16, BFLOAT16];

/**
 * The float types that CUDA has kernels for, of every operator in our graphs: onnxruntime's docs/OperatorKernels.md,
 * section CUDAExecutionProvider, as of commit 001d12d2623fd411ce0f83d05abb5e82304a3389 (kernels up to operator set
 * 25). This test checks types only; docs/status.md says what was run on a GPU.
 */
const CUDA_KERNELS: Record<string, DataType[]> = {
  Add: ALL,
  Attention: ALL,
  Cast: ALL,
  Concat: ALL,
  Gather: ALL,
  Gemm: ALL,
  Identity: ALL,
  MatMul: ALL,
  Mul: ALL,
  Relu: ALL,
  Reshape: ALL,
  Sigmoid: ALL,
  SimplifiedLayerNormalization: ALL,
  Softmax: ALL,
  Split: ALL,
  Squeeze: ALL,
  Unsqueeze: ALL,
  'com.microsoft.FusedMatMul': ALL,
  'com.microsoft.GroupQueryAttention': [FLOAT16, BFLOAT16],
  'com.microsoft.MatMulNBits': ALL,
  'com.microsoft.QuickGelu': ALL,
  'com.microsoft.RotaryEmbedding': ALL,
  'com.microsoft.SkipSimplifiedLayerNormalization': ALL,
};
/** The expensive ones, which must run in half precision. */
const COMPUTE = new Set(['FusedMatMul', 'MatMulNBits', 'GroupQueryAttention', 'QuickGelu']);

async function graphsOf(
  artifact: Artifact,
  backbone: string,
  precision: 'bfloat16' | 'float16' | 'int8' | 'int4',
) {
  const numerics = numericsOf(precision, 'cuda');
  const checkpoint = await openCheckpoint(backbone);
  const lastLayer = checkpoint.config.numLayers - 1;
  const taken = takeTensors(checkpoint, planTensors(checkpoint.config, lastLayer), 'dir');
  const format = blockFormatOf(numerics, 'BF16');
  const weights = new Map<string, PlacedTensor | QuantizedTensor>();
  for (const [name, tensor] of taken) {
    const where = placed(tensor, 'weights-0.safetensors');
    const [outputs = 0, inputs = 0] = tensor.shape;
    if (format === undefined || !isLinearWeight(name)) weights.set(name, where);
    else {
      const bytes = { ...where, dtype: 'U8' };
      const zeroPoints = format.zeroPoints === 'middle' ? undefined : bytes;
      weights.set(name, {
        format,
        shape: [outputs, inputs],
        codes: bytes,
        scales: { ...where, dtype: 'F32' },
        zeroPoints,
      });
    }
  }
  const { config } = checkpoint;
  return [
    ['batch', typedNodes(buildBatchGraph(config, artifact, weights, numerics))],
    ['prefix', typedNodes(buildPrefixGraph(config, artifact, weights, numerics))],
  ] as const;
}

const kernelOf = ({ domain, opType }: TypedNode): string => (domain === '' ? opType : `${domain}.${opType}`);

describe.each(CONTENT_GUARDS)('%s', (guard) => {
  test.each([
    ['bfloat16', BFLOAT16],
    ['float16', FLOAT16],
    ['int8', BFLOAT16],
    ['int4', BFLOAT16],
  ] as const)('as %s, every operator has a CUDA kernel for its types', async (precision, computed) => {
    const { config, weights } = goldenArtifact(guard);
    const graphs = await graphsOf(readArtifact(config, weights), goldenDirs(guard).backbone, precision);
    for (const [graph, nodes] of graphs) {
      expect(nodes.length).toBeGreaterThan(20);
      for (const node of nodes) {
        const kernel = kernelOf(node);
        const what = `${graph} graph: ${kernel}`;
        const types = node.inputs.filter((type) => type !== undefined && FLOAT_TYPES.has(type));
        expect(Object.keys(CUDA_KERNELS), what).toContain(kernel);
        for (const type of types) expect(CUDA_KERNELS[kernel], what).toContain(type);
        if (node.opType !== 'Cast') expect(new Set(types).size, what).toBeLessThanOrEqual(1);
        if (COMPUTE.has(node.opType)) expect(node.output, what).toBe(computed);
      }
    }
  });
});
