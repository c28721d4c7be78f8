import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DataType, Graph } from '@tocsin/backbone';
import { Matrix, RoundedLayers, type Rounding, roundChannels } from '@tocsin/backbone/testing';
import { tempDir } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { InferenceSession, Tensor } from '../process/onnxruntime.js';

const temp = tempDir();
const [TOKENS, INPUTS, OUTPUTS] = [9, 200, 48];

/** Values of about unit variance, one token of them 1,000 times as large, and one of zeros. */
function values(): Float32Array {
  let state = 7;
  const next = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return (4 * state) / 2_147_483_647 - 2;
  };
  const all = Float32Array.from({ length: TOKENS * INPUTS }, next);
  for (let i = 0; i < INPUTS; i++) {
    all[2 * INPUTS + i] = 1000 * (all[2 * INPUTS + i] ?? 0);
    all[5 * INPUTS + i] = 0;
  }
  return all;
}

/** Large weights throughout: the sums of pairs that a kernel with 16 bits would cut off. */
const weight = new Matrix(
  OUTPUTS,
  INPUTS,
  Float32Array.from({ length: OUTPUTS * INPUTS }, (_, i) => ((i * 37) % 5 === 0 ? -0.9 : 1 - (i % 7) / 100)),
);
const { codes, scales } = roundChannels(weight);

async function product(
  rounding: Rounding,
  isUnsigned: boolean,
  input: Float32Array,
  group = 1,
): Promise<Float32Array> {
  const graph = new Graph();
  const value = graph.input('value', DataType.FLOAT, ['tokens', INPUTS]);
  const layers = new RoundedLayers(graph, isUnsigned);
  const stored = isUnsigned ? new Uint8Array(codes.buffer) : codes;
  const result = layers.multiply(value, {
    rounding,
    group,
    codes: graph.constant('codes', [INPUTS, OUTPUTS], stored),
    scales: graph.constant('scales', [OUTPUTS], scales),
  });
  return run(graph, result, input);
}

async function run(graph: Graph, result: string, input: Float32Array): Promise<Float32Array> {
  graph.op('Identity', [result], {}, 'result');
  graph.output('result', DataType.FLOAT, ['tokens', OUTPUTS]);
  const file = join(await mkdtemp(join(temp, 'x-')), 'layer.onnx');
  await writeFile(file, graph.encode('layer'));
  const session = await InferenceSession.create(file, { executionProviders: ['cpu'] });
  const outputs = await session.run({ value: new Tensor('float32', input, [input.length / INPUTS, INPUTS]) });
  const data = Float32Array.from(outputs.result?.data as Float32Array);
  await session.release();
  return data;
}

/** The same in JavaScript's exact integers. */
function expected(rounding: Rounding, input: Float32Array): number[] {
  const results: number[] = [];
  for (let start = 0; start < input.length; start += INPUTS) {
    const row = input.subarray(start, start + INPUTS);
    const peak = row.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const scale = rounding === 'fixed' ? 4 / 127 : Math.max(peak / 127, 1e-20);
    const rounded = Array.from(row, (value) => Math.min(127, Math.max(-128, Math.round(value / scale))));
    for (let output = 0; output < OUTPUTS; output++) {
      const sum = rounded.reduce((total, code, i) => total + code * (codes[i * OUTPUTS + output] ?? 0), 0);
      results.push(sum * scale * (scales[output] ?? 0));
    }
  }
  return results;
}

test.each(['fixed', 'token'] as const)('%s: sums of products are exact', async (rounding) => {
  const input = values();
  const wanted = expected(rounding, input);
  for (const [i, value] of (await product(rounding, false, input)).entries()) {
    // A value half-way between two codes may be rounded either way.
    const step = (Math.abs(wanted[i] ?? 0) + 1) * 0.01;
    expect(Math.abs(value - (wanted[i] ?? 0))).toBeLessThan(step);
  }
});

test.each(['fixed', 'token'] as const)(
  '%s: unsigned weights give the same bits, so a score is the same on a CPU without VNNI',
  async (rounding) => {
    const input = values();
    const [unsigned, signed] = [await product(rounding, true, input), await product(rounding, false, input)];
    expect(unsigned).toEqual(signed);
  },
);

test.each(['fixed', 'token'] as const)(
  '%s: a token alone has the result that it has among others',
  async (rounding) => {
    const input = values();
    const together = await product(rounding, false, input);
    for (let token = 0; token < TOKENS; token++) {
      const alone = await product(rounding, false, input.slice(token * INPUTS, (token + 1) * INPUTS));
      expect(alone).toEqual(together.slice(token * OUTPUTS, (token + 1) * OUTPUTS));
    }
  },
);

test('inputs mixed in groups, and weights mixed alike, have the product of those that were not', async () => {
  const group = 8;
  const mixed = roundChannels(new Matrix(OUTPUTS, INPUTS, weight.values.slice()).mixRows(group));
  const input = values();
  const graph = new Graph();
  const value = graph.input('value', DataType.FLOAT, ['tokens', INPUTS]);
  const result = new RoundedLayers(graph, false).multiply(value, {
    rounding: 'token',
    group,
    codes: graph.constant('codes', [INPUTS, OUTPUTS], mixed.codes),
    scales: graph.constant('scales', [OUTPUTS], mixed.scales),
  });
  const output = await run(graph, result, input);
  for (let token = 0; token < TOKENS; token++) {
    const row = input.subarray(token * INPUTS, (token + 1) * INPUTS);
    const size = Math.sqrt(row.reduce((sum, one) => sum + one * one, 0));
    for (let i = 0; i < OUTPUTS; i++) {
      const exact = weight.row(i).reduce((sum, one, j) => sum + one * (row[j] ?? 0), 0);
      expect(Math.abs((output[token * OUTPUTS + i] ?? 0) - exact)).toBeLessThanOrEqual(0.15 * size);
    }
  }
});
