import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { configWith, GOOD, goodTensors, weightsWith } from '../testing/changed-artifact.js';
import { CONTENT_GUARDS, goldenArtifact } from '../testing/golden.js';
import { float32Tensor, withHeader, writeSafetensors } from '../testing/write-safetensors.js';
import { type Artifact, type ContentArtifact, lastLayerOf } from './artifact.js';
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
    'tensor network.7.bias holds values that are no finite numbers',
  ],
  [
    'an infinite weight',
    weightsWith('network.7.bias', bias(Number.NEGATIVE_INFINITY)),
    'tensor network.7.bias holds values that are no finite numbers',
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
