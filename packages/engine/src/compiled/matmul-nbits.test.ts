import { DataType, Graph } from '@tocsin/backbone';
import { type BlockFormat, blockLayout, dequantizeRows, quantizeRows } from '@tocsin/backbone/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CPU } from '../devices/device.js';
import { InferenceSession, Tensor } from '../process/onnxruntime.js';
import { sessionOptions } from '../process/session-options.js';

const FORMATS: [string, BlockFormat][] = [
  ['int8', { bits: 8, blockSize: 32, zeroPoints: 'middle' }],
  ['int8 with zero points', { bits: 8, blockSize: 32, zeroPoints: 'codes' }],
  ['int4', { bits: 4, blockSize: 32, zeroPoints: 'codes' }],
  ['int4 of Q4_1', { bits: 4, blockSize: 32, zeroPoints: 'floats' }],
  ['int4 without zero points', { bits: 4, blockSize: 32, zeroPoints: 'middle' }],
];

/** A product with quantized weights in onnxruntime: [tokens, inputs] to [tokens, outputs]. */
async function multiply(
  activations: Float32Array,
  weights: Float32Array,
  inputs: number,
  format: BlockFormat,
): Promise<Float32Array> {
  const outputs = weights.length / inputs;
  const { blocks, codeBytes } = blockLayout(format, inputs);
  const { codes, scales, zeroPoints } = quantizeRows(weights, inputs, format);
  const graph = new Graph();
  graph.input('in', DataType.FLOAT, ['tokens', inputs]);
  const operands = [
    'in',
    graph.constant('codes', [outputs, blocks, codeBytes / blocks], codes),
    graph.constant('scales', [outputs * blocks], scales),
    ...(zeroPoints === undefined ? [] : [graph.constant('zeros', [zeroPoints.length], zeroPoints)]),
  ];
  const attributes = {
    K: { int: inputs },
    N: { int: outputs },
    bits: { int: format.bits },
    block_size: { int: format.blockSize },
    accuracy_level: { int: format.bits === 8 ? 4 : 1 },
  };
  graph.contrib('MatMulNBits', operands, attributes, ['out']);
  graph.output('out', DataType.FLOAT, ['tokens', outputs]);
  const session = await InferenceSession.create(
    graph.encode('test'),
    sessionOptions({ device: CPU, threads: 1 }),
  );
  const tokens = activations.length / inputs;
  const { out } = await session.run({ in: new Tensor('float32', activations, [tokens, inputs]) });
  await session.release();
  return out?.data as Float32Array;
}

const random = (count: number, seed: number): Float32Array => {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 2 ** 32 - 0.5;
  });
};

test.each(FORMATS)(
  '%s: onnxruntime takes our integers for what we mean, whatever the sizes',
  async (_, format) => {
    const sizes = fc.record({
      tokens: fc.integer({ min: 1, max: 5 }),
      inputs: fc.integer({ min: 1, max: 140 }),
      outputs: fc.integer({ min: 1, max: 40 }),
      seed: fc.integer(),
    });
    await fc.assert(
      fc.asyncProperty(sizes, async ({ tokens, inputs, outputs, seed }) => {
        const activations = random(tokens * inputs, seed);
        const weights = random(outputs * inputs, seed + 1);
        const product = await multiply(activations, weights, inputs, format);
        const meant = dequantizeRows(quantizeRows(weights, inputs, format), inputs, format);
        for (const [at, actual] of product.entries()) {
          const [token, output] = [Math.floor(at / outputs), at % outputs];
          let expected = 0;
          let slack = 2e-5;
          for (let first = 0; first < inputs; first += format.blockSize) {
            let largest = 0;
            let weight = 0;
            for (let i = first; i < Math.min(inputs, first + format.blockSize); i++) {
              const [activation, meantWeight] = [
                activations[token * inputs + i] ?? 0,
                meant[output * inputs + i] ?? 0,
              ];
              expected += activation * meantWeight;
              largest = Math.max(largest, Math.abs(activation));
              weight += Math.abs(meantWeight);
            }
            // With 8-bit weights, activations are rounded to 127 steps on either side of zero, per block.
            if (format.bits === 8) slack += (largest / 254) * weight;
          }
          expect(Math.abs(actual - expected)).toBeLessThanOrEqual(slack);
        }
      }),
      { numRuns: 40 },
    );
  },
);
