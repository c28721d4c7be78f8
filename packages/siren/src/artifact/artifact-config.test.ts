import { UserError } from '@tocsin/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configWith, fieldPaths, GOOD } from '../testing/files.js';
import { readArtifact } from './read-artifact.js';

const FILE = 'dir/siren_config.json';
const read = (bytes: Uint8Array) => readArtifact({ file: FILE, bytes }, GOOD.weights);

test.each<[string, string, unknown, string]>([
  ['another task', 'task', 'summary', 'task is "summary", expected "content" or "trajectory"'],
  ['a later version', 'siren_version', '2.0', 'siren_version is 2.0; this Tocsin reads version 1.x'],
  ['no model name', 'base_model.model_id', '', 'base_model.model_id: Too small'],
  [
    'a size as a text',
    'base_model.hidden_size',
    '64',
    'base_model.hidden_size: expected number, received string',
  ],
  ['no head', 'mlp', undefined, 'mlp: expected object, received undefined'],
  ['a threshold above 1', 'inference.default_threshold', 2, 'inference.default_threshold: Too big'],
  [
    'a threshold as a text',
    'inference.default_threshold',
    '0.5',
    'inference.default_threshold: expected number',
  ],
  ['a length of 0', 'inference.max_length', 0, 'inference.max_length: Too small'],
  ['a length beyond every model', 'inference.max_length', 1e9, 'inference.max_length: Too big'],
])('%s is told, with file and field', (_what, path, value, message) => {
  refuses(configWith({ [path]: value }), `${FILE}: ${message}`);
});

test.each<[string, string, unknown, string]>([
  [
    'another number of inputs',
    'input_dim',
    101,
    'input_dim is 101, but 102 neurons are selected in 2 layers',
  ],
  ['no inputs', 'input_dim', 0, 'input_dim: Too small'],
  [
    'dropout rates for other layers',
    'dropout_rates',
    [0, 0.25],
    'layer_dims has 3 entries and mlp.dropout_rates 2; they must have the same number',
  ],
  ['a dropout rate above 1', 'dropout_rates.0', 2, 'dropout_rates.0: Too big'],
  ['a layer without outputs', 'layer_dims.0', 0, 'layer_dims.0: Too small'],
  ['three classes', 'num_classes', 3, 'num_classes: expected 2'],
])('head: %s is told, with file and field', (_what, field, value, message) => {
  refuses(configWith({ [`mlp.${field}`]: value }), `${FILE}: mlp.${message}`);
});

const NEURONS = 'selected_neurons_dict';
const ONE = 'layer1_residual_mean';

test.each<[string, string, unknown, string]>([
  ['a layer twice', 'selected_layers', [1, 2, 1], 'selected_layers names a layer twice: [1,2,1]'],
  ['no layers', 'selected_layers', [], 'selected_layers: Too small'],
  ['a negative layer', 'selected_layers', [-1], 'selected_layers.0: Too small'],
  ['a layer as a text', 'selected_layers', ['1'], 'selected_layers.0: expected number, received string'],
  ['a layer without neurons', 'selected_layers', [1, 3], `${NEURONS} has no neurons for selected layer 3`],
  ['an empty layer', `${NEURONS}.${ONE}`, [], `${NEURONS}.${ONE}: Too small`],
  [
    'a neuron beyond the hidden size',
    `${NEURONS}.layer2_residual_mean.3`,
    64,
    `${NEURONS}, layer 2: neuron 64 is outside base_model.hidden_size 64 (0 to 63)`,
  ],
  ['half a neuron', `${NEURONS}.${ONE}.0`, 1.5, `${NEURONS}.${ONE}.0: expected int`],
  ['a negative neuron', `${NEURONS}.${ONE}.0`, -1, `${NEURONS}.${ONE}.0: Too small`],
  [
    'a key that names no layer',
    `${NEURONS}.layerX`,
    [1],
    `${NEURONS} has the key "layerX", expected e.g. "layer3_residual_mean"`,
  ],
  ['a layer under two keys', `${NEURONS}.layer1_mlp_mean`, [1], `${NEURONS} has layer 1 under two keys`],
  ['a weight as a text', 'layer_weights.1', 'big', 'layer_weights.1: expected number, received string'],
  ['a weight beyond float32', 'layer_weights.1', 1e39, 'layer_weights, layer 1: 1e+39 is beyond float32'],
  ['an unknown pooling', 'pooling_type', 'max', 'pooling_type is "max", expected residual_mean or mlp_mean'],
  ['no pooling', 'pooling_type', undefined, 'pooling_type: expected string, received undefined'],
])('module: %s is told, with file and field', (_what, field, value, message) => {
  refuses(configWith({ [`siren_module.${field}`]: value }), `${FILE}: siren_module.${message}`);
});

test('a layer beyond the model is told', () => {
  refuses(
    configWith({ 'base_model.num_layers': 2 }),
    `${FILE}: siren_module.selected_layers has layer 2, but base_model.num_layers is 2 (layers 0 to 1)`,
  );
});

test('several wrong fields are told at once', () => {
  const config = configWith({ 'mlp.input_dim': 'x', 'inference.max_length': null });
  refuses(
    config,
    'inference.max_length: expected number, received null; mlp.input_dim: expected number, received',
  );
});

test.each([
  ['cut short', '{"task":', `${FILE} is no valid JSON`],
  ['no text', '\u0000', `${FILE} is no valid JSON`],
  ['an array', '[]', `${FILE} must contain a JSON object`],
  ['null', 'null', `${FILE} must contain a JSON object`],
])('a config that is %s is told', (_what, json, message) => {
  refuses(new TextEncoder().encode(json), message);
});

test('whatever stands in one field, the artifact is read or it is a UserError', () => {
  fc.assert(
    fc.property(fc.constantFrom(...fieldPaths()), fc.jsonValue({ maxDepth: 2 }), (path, value) => {
      try {
        read(configWith({ [path]: value }));
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }),
    { numRuns: 500 },
  );
});

function refuses(config: Uint8Array, message: string): void {
  expect(() => read(config)).toThrow(UserError);
  expect(() => read(config)).toThrow(message);
}
