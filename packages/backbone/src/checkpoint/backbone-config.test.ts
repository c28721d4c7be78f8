import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenDirs } from '@tocsin/siren/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBackboneConfig } from './backbone-config.js';

const FILE = 'dir/config.json';
const released = (guard: Parameters<typeof goldenDirs>[0]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(goldenDirs(guard).backbone, 'config.json'), 'utf8')) as Record<
    string,
    unknown
  >;

const llama = released('llama-residual');
const qwen3 = released('qwen3-residual');
const llama31 = released('llama31-ropescaled');
const scaling = llama31.rope_scaling as Record<string, unknown>;

const read = (config: unknown) => readBackboneConfig(FILE, config);

test('all of a Llama config', () => {
  expect(read(llama)).toEqual({
    family: 'llama',
    hiddenSize: 64,
    intermediateSize: 160,
    numLayers: 4,
    numHeads: 4,
    numKvHeads: 2,
    headDim: 16,
    rmsNormEps: 1e-5,
    vocabSize: 397,
    attentionBias: false,
    mlpBias: false,
    rope: { theta: 500_000, scaling: undefined },
  });
});

const LLAMA3 = { factor: 8, lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 64 };

test.each<[string, object, object]>([
  ['the scaling of Llama 3', llama31, { rope: { theta: 500_000, scaling: LLAMA3 } }],
  [
    'rope_parameters, as transformers 5 writes them',
    { ...llama, rope_theta: undefined, rope_parameters: { ...scaling, rope_theta: 7 } },
    { rope: { theta: 7, scaling: LLAMA3 } },
  ],
  [
    'both ways to write it, in agreement',
    { ...llama31, rope_parameters: { ...scaling } },
    { rope: { theta: 500_000, scaling: LLAMA3 } },
  ],
  [
    'a rope of the plain kind',
    { ...llama, rope_scaling: { rope_type: 'default', partial_rotary_factor: 1 } },
    { rope: { theta: 500_000, scaling: undefined } },
  ],
  ['no theta', { ...llama, rope_theta: undefined }, { rope: { theta: 10_000, scaling: undefined } }],
  ['no count of key heads', { ...llama, num_key_value_heads: undefined }, { numKvHeads: 4 }],
  ['no head_dim: hidden size by heads', { ...llama, head_dim: null }, { headDim: 16 }],
  ["no head_dim in a Qwen3: the family's 128", { ...qwen3, head_dim: undefined }, { headDim: 128 }],
  ['no epsilon', { ...llama, rms_norm_eps: undefined }, { rmsNormEps: 1e-6 }],
  ['no architectures', { ...qwen3, architectures: undefined }, { family: 'qwen3' }],
  ['no model_type', { ...qwen3, model_type: undefined }, { family: 'qwen3' }],
  ['biases', { ...llama, attention_bias: true, mlp_bias: true }, { attentionBias: true, mlpBias: true }],
  ['a window that is not used', { ...qwen3, use_sliding_window: false, sliding_window: 4096 }, {}],
  ['full attention named', { ...qwen3, layer_types: ['full_attention', 'full_attention'] }, {}],
])('%s is read', (_what, config, expected) => {
  expect(read(config)).toMatchObject(expected);
});

const UNBUILT = 'which changes the numbers and is not built; expected';

test.each<[string, object, object, string]>([
  [
    'another family',
    llama,
    { model_type: 'mistral' },
    'the architecture is mistral; supported are llama, qwen3',
  ],
  [
    'another family, by its architecture',
    llama,
    { model_type: undefined, architectures: ['GemmaForCausalLM'] },
    'the architecture is GemmaForCausalLM; supported are llama, qwen3',
  ],
  [
    'no family',
    llama,
    { model_type: undefined, architectures: undefined },
    'the architecture is not named; supported are llama, qwen3',
  ],
  [
    'a classifier',
    llama,
    { architectures: ['LlamaForSequenceClassification'] },
    'architectures is LlamaForSequenceClassification; for llama only LlamaForCausalLM is supported',
  ],
  ['another activation', llama, { hidden_act: 'gelu' }, `hidden_act is "gelu", ${UNBUILT} "silu"`],
  ['a sliding window', qwen3, { use_sliding_window: true }, `use_sliding_window is true, ${UNBUILT} false`],
  [
    'a sliding window in one layer',
    qwen3,
    { layer_types: ['full_attention', 'sliding_attention'] },
    `layer_types is "sliding_attention", ${UNBUILT} full_attention in every layer`,
  ],
  [
    'quantized weights',
    llama,
    { quantization_config: { bits: 4 } },
    `quantization_config is {"bits":4}, ${UNBUILT} none (F32, F16 or BF16 weights)`,
  ],
  ['attention to both sides', llama, { is_causal: false }, `is_causal is false, ${UNBUILT} true`],
  ['a part rotated', llama, { partial_rotary_factor: 0.5 }, `partial_rotary_factor is 0.5, ${UNBUILT} 1`],
  [
    'a part rotated, by rope_parameters',
    llama,
    { rope_parameters: { partial_rotary_factor: 0.25 } },
    `partial_rotary_factor is 0.25, ${UNBUILT} 1`,
  ],
  [
    'a part rotated, by rope_scaling',
    llama,
    { rope_scaling: { partial_rotary_factor: 0.25 } },
    `partial_rotary_factor is 0.25, ${UNBUILT} 1`,
  ],
  [
    'heads that do not divide',
    llama,
    { num_key_value_heads: 3 },
    'num_attention_heads 4 is no multiple of num_key_value_heads 3',
  ],
  [
    'a hidden size that does not divide',
    llama,
    { head_dim: undefined, num_attention_heads: 6, num_key_value_heads: 6 },
    'head_dim is 10.666666666666666, expected an even whole number',
  ],
  ['an odd head_dim', llama, { head_dim: 15 }, 'head_dim is 15, expected an even whole number'],
  ['no hidden size', llama, { hidden_size: undefined }, 'hidden_size'],
  ['a size as a text', llama, { vocab_size: '397' }, 'vocab_size'],
])('%s is refused, with file and field', (_what, config, change, message) => {
  refuses({ ...config, ...change }, message);
});

test.each<[string, object, string]>([
  [
    'another type',
    { rope_scaling: { rope_type: 'yarn', factor: 4 } },
    'rope_scaling.rope_type is "yarn"; supported are "default" and "llama3"',
  ],
  [
    'another type, by its older name',
    { rope_scaling: { type: 'linear', factor: 2 } },
    'rope_scaling.rope_type is "linear"; supported are "default" and "llama3"',
  ],
  [
    'another type, by rope_parameters',
    { rope_parameters: { rope_type: 'dynamic', rope_theta: 500_000 } },
    'rope_parameters.rope_type is "dynamic"; supported are "default" and "llama3"',
  ],
  [
    'two thetas',
    { rope_parameters: { rope_type: 'default', rope_theta: 10_000 } },
    'rope_theta is 500000, rope_parameters.rope_theta is 10000; they must agree',
  ],
  [
    'two ropes',
    { rope_scaling: { rope_type: 'yarn' }, rope_parameters: { rope_type: 'default' } },
    'rope_scaling and rope_parameters are both given; they must agree',
  ],
  [
    'a rope of each kind of layer',
    { rope_parameters: { full_attention: { rope_type: 'yarn' } } },
    'rope_parameters.full_attention has different parameters; expected the same for every layer',
  ],
  [
    'equal factors',
    { rope_scaling: { ...scaling, low_freq_factor: 4 } },
    'rope_scaling.high_freq_factor must be above low_freq_factor',
  ],
  ['a factor of 0', { rope_scaling: { ...scaling, factor: 0 } }, 'rope_scaling: '],
])('rope: %s is refused, with file and field', (_what, change, message) => {
  refuses({ ...llama, ...change }, message);
});

test.each(['factor', 'low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'])(
  'rope: llama3 without %s is refused',
  (field) => {
    refuses({ ...llama, rope_scaling: { ...scaling, [field]: undefined } }, field);
  },
);

test('whatever stands in one field, the config is read or it is a UserError', () => {
  const field = fc.constantFrom(...Object.keys(llama31), 'rope_parameters', 'layer_types', 'sliding_window');
  fc.assert(
    fc.property(field, fc.jsonValue({ maxDepth: 2 }), (name, value) =>
      readOrUserError({ ...llama31, [name]: value }),
    ),
    { numRuns: 200 },
  );
  fc.assert(fc.property(fc.jsonValue(), readOrUserError));
});

function readOrUserError(config: unknown): void {
  try {
    read(config);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
  }
}

function refuses(config: object, message: string): void {
  expect(() => read(config)).toThrow(UserError);
  expect(() => read(config)).toThrow(FILE);
  expect(() => read(config)).toThrow(message);
}
