import { UserError } from '@tocsin/core';
import { describe, expect, test } from 'vitest';
import {
  configWith,
  float32Tensor,
  GOOD,
  goodTensors,
  readTensors,
  type TensorSpec,
  weightsWith,
  withHeader,
  writeSafetensors,
} from '../testing/files.js';
import { CONTENT_GUARDS, goldenArtifact } from '../testing/golden.js';
import { type Artifact, type ContentArtifact, lastLayerOf, type TrajectoryArtifact } from './artifact.js';
import { readArtifact } from './read-artifact.js';

const WEIGHTS = 'dir/siren.safetensors';
const read = (config = GOOD.config.bytes, weights = GOOD.weights.bytes): ContentArtifact =>
  content(readArtifact({ file: 'dir/siren_config.json', bytes: config }, { file: WEIGHTS, bytes: weights }));

function content(artifact: Artifact): ContentArtifact {
  if (artifact.task !== 'content') throw new Error('it is no content guard');
  return artifact;
}

test('all of an artifact', () => {
  const artifact = read();
  expect(artifact).toMatchObject({
    task: 'content',
    baseModel: { modelId: 'llama31-ropescaled/backbone', revision: undefined, hiddenSize: 64, numLayers: 4 },
    pooling: 'residual_mean',
    maxLength: 128,
    defaultThreshold: 0.35,
  });
  const layers = artifact.layers.map(({ index, weight, neurons }) => [
    index,
    weight,
    neurons.length,
    neurons[0],
  ]);
  expect(layers).toEqual([
    [1, 0.2116747426075105, 51, 61],
    [2, 0.8312748346644612, 51, 4],
  ]);
  expect(lastLayerOf(artifact)).toBe(2);
});

test('tensor names skip a place where a dropout rate is above 0: [0, 0.25, 0] makes 0, 2, 5, 7', () => {
  const { head } = read();
  const shapes = head.map(({ inputs, outputs }) => [inputs, outputs]);
  expect(shapes).toEqual([
    [102, 40],
    [40, 24],
    [24, 16],
    [16, 2],
  ]);
  const bytesOf = (name: string) => goodTensors().find((tensor) => tensor.name === name)?.bytes;
  for (const [i, position] of [0, 2, 5, 7].entries()) {
    const { weight = new Float32Array(), bias = new Float32Array() } = head[i] ?? {};
    expect(Buffer.from(weight.buffer)).toEqual(bytesOf(`network.${position}.weight`));
    expect(Buffer.from(bias.buffer)).toEqual(bytesOf(`network.${position}.bias`));
  }
});

test('other dropout rates make other names', () => {
  refuses(configWith({ 'mlp.dropout_rates': [0, 0, 0] }), undefined, 'tensor network.4.weight is missing');
});

test.each(CONTENT_GUARDS)('%s is read', (guard) => {
  const { config, weights } = goldenArtifact(guard);
  const artifact = content(readArtifact(config, weights));
  const selected = artifact.layers.reduce((sum, { neurons }) => sum + neurons.length, 0);
  expect(artifact.head[0]?.inputs).toBe(selected);
  expect(artifact.head.at(-1)?.outputs).toBe(2);
});

test('layers come in ascending order, whatever the order in the file', () => {
  const { layers } = read(configWith({ 'siren_module.selected_layers': [2, 1] }));
  expect(layers.map(({ index, neurons }) => [index, neurons[0]])).toEqual([
    [1, 61],
    [2, 4],
  ]);
});

test('what may be left out: task, version, layer weights, the sizes of the model, layers that are not read', () => {
  const { baseModel, layers } = read(
    configWith({
      task: undefined,
      siren_version: undefined,
      'mlp.num_classes': undefined,
      'base_model.hidden_size': undefined,
      'base_model.num_layers': undefined,
      'base_model.revision': undefined,
      'siren_module.layer_weights': {},
      'siren_module.selected_neurons_dict.layer3_residual_mean': [9999],
      training: { epochs: 3 },
    }),
  );
  expect(baseModel).toEqual({
    modelId: 'llama31-ropescaled/backbone',
    revision: undefined,
    hiddenSize: undefined,
    numLayers: undefined,
  });
  expect(layers.map(({ weight }) => weight)).toEqual([1, 1]);
});

test.each([
  ['F16', [1, -2]],
  ['BF16', [0.0078125, -2]],
])('a tensor of %s is read as what it is', (dtype, values) => {
  const weights = weightsWith('network.7.bias', { dtype, bytes: Uint8Array.of(0, 0x3c, 0, 0xc0) });
  expect(read(undefined, weights).head.at(-1)?.bias).toEqual(Float32Array.from(values));
});

const bias = (value: number) => float32Tensor('network.7.bias', [2], [0, value]);

test.each<[string, Uint8Array, string]>([
  [
    'a missing weight',
    weightsWith('network.5.weight', undefined),
    'tensor network.5.weight is missing (it has network.5.bias, network.7.bias, network.7.weight)',
  ],
  [
    'a missing bias',
    weightsWith('network.7.bias', undefined),
    'tensor network.7.bias is missing (it has none left)',
  ],
  ['no tensors', withHeader('{}'), 'tensor network.0.weight is missing (it has none left)'],
  [
    'a turned weight',
    weightsWith('network.2.weight', { shape: [40, 24] }),
    'tensor network.2.weight has shape [40,24], mlp in siren_config.json makes it [24,40]',
  ],
  [
    'a bias with a dimension more',
    weightsWith('network.2.bias', { shape: [24, 1] }),
    'tensor network.2.bias has shape [24,1], mlp in siren_config.json makes it [24]',
  ],
  [
    'doubles',
    weightsWith('network.7.bias', { dtype: 'F64', bytes: new Uint8Array(16) }),
    'tensor network.7.bias has dtype F64, expected F32, F16 or BF16',
  ],
  [
    'a type that nobody knows',
    weightsWith('network.7.bias', { dtype: 'toString' }),
    'tensor network.7.bias has dtype toString, expected F32, F16 or BF16',
  ],
  [
    'a tensor too many',
    writeSafetensors([...goodTensors(), float32Tensor('network.9.bias', [1], [0])]),
    'unexpected tensor network.9.bias; mlp in siren_config.json describes 4 linear layers',
  ],
  [
    'a weight that is no number',
    weightsWith('network.7.bias', bias(Number.NaN)),
    'tensor network.7.bias contains values that are not finite numbers',
  ],
  [
    'an infinite weight',
    weightsWith('network.7.bias', bias(Number.NEGATIVE_INFINITY)),
    'tensor network.7.bias contains values that are not finite numbers',
  ],
  ['half a file', GOOD.weights.bytes.subarray(0, 11_000), 'is not a whole safetensors file'],
])('%s is told, with file and tensor', (_what, weights, message) => {
  refuses(undefined, weights, message);
});

function refuses(config: Uint8Array | undefined, weights: Uint8Array | undefined, message: string): void {
  expect(() => read(config, weights)).toThrow(UserError);
  expect(() => read(config, weights)).toThrow(WEIGHTS);
  expect(() => read(config, weights)).toThrow(message);
}

describe('a trajectory guard', () => {
  const GOOD = goldenArtifact('qwen3-agent');
  const FILE = 'dir/siren_config.json';

  /** The golden artifact with changed configuration, and its tensors. */
  function read(
    changes: Record<string, object> = {},
    change: (tensors: TensorSpec[]) => TensorSpec[] = (tensors) => tensors,
  ): TrajectoryArtifact {
    const config = JSON.parse(new TextDecoder().decode(GOOD.config.bytes)) as Record<string, object>;
    const changed = Object.fromEntries(
      Object.entries(config).map(([key, value]) => [key, merged(value, changes[key])]),
    );
    const artifact = readArtifact(
      { file: FILE, bytes: new TextEncoder().encode(JSON.stringify(changed)) },
      { file: WEIGHTS, bytes: writeSafetensors(change(readTensors(GOOD.weights.bytes))) },
    );
    if (artifact.task !== 'trajectory') throw new Error('it is no trajectory guard');
    return artifact;
  }

  const merged = (value: unknown, change: object | undefined): unknown =>
    typeof value === 'object' ? { ...value, ...change } : value;

  const reshaped =
    (name: string, shape: number[]) =>
    (tensors: TensorSpec[]): TensorSpec[] =>
      tensors.map((tensor) => (tensor.name === name ? { ...tensor, shape } : tensor));

  test('all of an artifact', () => {
    const artifact = read();
    expect(artifact).toMatchObject({
      task: 'trajectory',
      baseModel: { modelId: 'qwen3-agent/backbone', revision: undefined, hiddenSize: undefined },
      blocks: 4,
      maxLength: 256,
      defaultThreshold: 0.5,
    });
    expect(artifact.readout.weight).toHaveLength(64);
    expect(Number.isFinite(artifact.readout.bias)).toBe(true);
    expect(lastLayerOf(artifact)).toBe(3);
  });

  test('the readout may be a row or a vector, its bias a vector or a number', () => {
    for (const shape of [[64], [1, 64]]) {
      for (const bias of [[1], []]) {
        const artifact = read({}, (tensors) =>
          reshaped('head.bias', bias)(reshaped('head.weight', shape)(tensors)),
        );
        expect(artifact.readout).toEqual(read().readout);
      }
    }
  });

  test('fields and tensors that say nothing about the score may be there', () => {
    const more = (tensors: TensorSpec[]): TensorSpec[] =>
      tensors.flatMap((tensor) => [tensor, { ...tensor, name: `probe.${tensor.name}` }]);
    expect(read({ render: { note: 'x' }, siren_module: { layer_name: 'y' } }, more)).toEqual(read());
  });

  test.each<[string, Record<string, object>, string]>([
    [
      'another pooling',
      { siren_module: { pooling_type: 'mean' } },
      'siren_module.pooling_type is "mean"; for a trajectory guard only "last" is supported',
    ],
    [
      'plain tools',
      { render: { tools: 'names' } },
      'render.tools is "names"; for a trajectory guard only "rich" is supported',
    ],
    [
      'other truncation',
      { render: { truncation: 'right' } },
      'render.truncation is "right"; for a trajectory guard only "head_tail"',
    ],
    [
      'another state',
      { siren_module: { hidden_state_index: 3 } },
      'siren_module.hidden_state_index is 3 and early_exit_blocks 4; they must be equal',
    ],
    ['no block', { siren_module: { early_exit_blocks: 0 } }, 'siren_module.early_exit_blocks: Too small'],
    [
      'no state',
      { siren_module: { hidden_state_index: undefined } },
      'siren_module.hidden_state_index: expected number',
    ],
    [
      'more blocks than layers',
      { base_model: { num_layers: 3 } },
      'siren_module.early_exit_blocks is 4, but base_model.num_layers is 3',
    ],
    ['a length of 0', { inference: { max_length: 0 } }, 'inference.max_length: Too small'],
  ])('%s is refused, with file and field', (_what, changes, message) => {
    expect(() => read(changes)).toThrow(UserError);
    expect(() => read(changes)).toThrow(`${FILE}: ${message}`);
  });

  test.each<[string, (tensors: TensorSpec[]) => TensorSpec[], Record<string, object>, string]>([
    [
      'no weight',
      (tensors) => tensors.filter(({ name }) => name !== 'head.weight'),
      {},
      'tensor head.weight is missing (it has head.bias)',
    ],
    [
      'no bias',
      (tensors) => tensors.filter(({ name }) => name !== 'head.bias'),
      {},
      'tensor head.bias is missing',
    ],
    ['a weight of two rows', reshaped('head.weight', [2, 32]), {}, 'tensor head.weight has shape [2,32]'],
    [
      'another hidden size',
      (tensors) => tensors,
      { base_model: { hidden_size: 32 } },
      'has shape [1,64], base_model.hidden_size in siren_config.json makes it [32] or [1,32]',
    ],
  ])('%s is refused, with file and tensor', (_what, change, changes, message) => {
    expect(() => read(changes, change)).toThrow(UserError);
    expect(() => read(changes, change)).toThrow(message);
  });
});
