import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { goldenArtifact } from '../testing/golden.js';
import { readTensors, type TensorSpec, writeSafetensors } from '../testing/write-safetensors.js';
import { lastLayerOf, type TrajectoryArtifact } from './artifact.js';
import { readArtifact } from './read-artifact.js';

const GOOD = goldenArtifact('qwen3-agent');
const FILE = 'dir/siren_config.json';
const WEIGHTS = 'dir/siren.safetensors';

/** The golden artifact, with objects of its configuration changed, and its tensors. */
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
    'siren_module.pooling_type is "mean"; for a trajectory guard only "last" is built',
  ],
  [
    'plain tools',
    { render: { tools: 'names' } },
    'render.tools is "names"; for a trajectory guard only "rich" is built',
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
