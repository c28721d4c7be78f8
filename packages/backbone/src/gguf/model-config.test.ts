import { expect, test } from 'vitest';
import { readBackboneConfig } from '../checkpoint/backbone-config.js';
import { llama3RopeScaling } from './model-config.js';
import { openGguf } from './open-gguf.js';
import { TINY, TOKENS, tinyModel, withMetadata } from './testing/tiny-model.js';
import {
  bool,
  f32,
  type GgufSpec,
  str,
  type TensorSpec,
  tempFiles,
  u32,
  writeGguf,
} from './testing/write-gguf.js';

const write = tempFiles();
const llama = tinyModel('llama', 'F32');
const qwen3 = tinyModel('qwen3', 'F32');

async function configOf(spec: GgufSpec): Promise<Record<string, unknown>> {
  return (await openGguf(await write(writeGguf(spec)))).config;
}
const withTensor = (spec: GgufSpec, name: string, ...values: number[]): GgufSpec => {
  const tensor: TensorSpec = { name, dimensions: [values.length], type: 'F32', values };
  return { ...spec, tensors: [...spec.tensors, tensor] };
};

test('modelConfig.is the config.json of the model', async () => {
  expect(await configOf(llama)).toEqual({
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_act: 'silu',
    hidden_size: TINY.hidden,
    intermediate_size: TINY.inner,
    num_hidden_layers: TINY.layers,
    num_attention_heads: TINY.heads,
    num_key_value_heads: TINY.keyValueHeads,
    head_dim: TINY.headDim,
    rms_norm_eps: 2 ** -17,
    rope_theta: 10_000,
    rope_scaling: null,
    vocab_size: TOKENS.length,
    max_position_embeddings: 512,
    tie_word_embeddings: true,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 0,
    eos_token_id: 1,
  });
  expect(await configOf(qwen3)).toMatchObject({ architectures: ['Qwen3ForCausalLM'], model_type: 'qwen3' });
});

test('modelConfig.the graph builder takes it', async () => {
  for (const spec of [llama, qwen3]) {
    const config = readBackboneConfig('m.gguf', await configOf(spec));
    expect(config).toMatchObject({ numLayers: TINY.layers, headDim: TINY.headDim, vocabSize: TOKENS.length });
  }
});

test('modelConfig.keys that a file may leave out', async () => {
  const headSize = { 'llama.attention.key_length': undefined, 'llama.attention.value_length': undefined };
  const without = withMetadata(llama, { ...headSize, 'tokenizer.ggml.eos_token_id': undefined });
  expect(await configOf(without)).toMatchObject({ head_dim: 16, eos_token_id: null });
  // As many key heads as query heads, while the model's k has the rows of one.
  const ungrouped = withMetadata(llama, { 'llama.attention.head_count_kv': undefined });
  await expect(configOf(ungrouped)).rejects.toThrow(
    'tensor "blk.0.attn_k.weight" has 16 rows; 2 heads of 16 make 32',
  );
});

test('modelConfig.biases and an output matrix show in it', async () => {
  const biased = withTensor(llama, 'blk.0.attn_q.bias', ...new Array<number>(32).fill(1));
  expect(await configOf(biased)).toMatchObject({ attention_bias: true, mlp_bias: false });
  const mlp = withTensor(llama, 'blk.0.ffn_up.bias', ...new Array<number>(64).fill(1));
  expect(await configOf(mlp)).toMatchObject({ attention_bias: false, mlp_bias: true });
  expect(await configOf(withTensor(llama, 'output.weight', 1))).toMatchObject({ tie_word_embeddings: false });
});

test.each<[string, Record<string, Buffer>, Record<string, unknown>]>([
  [
    'yarn',
    {
      'qwen3.rope.scaling.type': str('yarn'),
      'qwen3.rope.scaling.factor': f32(4),
      'qwen3.rope.scaling.original_context_length': u32(128),
    },
    { rope_scaling: { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 128 } },
  ],
  [
    'a factor without a type',
    { 'qwen3.rope.scaling.factor': f32(2) },
    { rope_scaling: { rope_type: 'linear', factor: 2 } },
  ],
  [
    'the older scale_linear',
    { 'qwen3.rope.scale_linear': f32(2) },
    { rope_scaling: { rope_type: 'linear', factor: 2 } },
  ],
  [
    'sliding windows',
    { 'qwen3.attention.sliding_window': u32(64) },
    { sliding_window: 64, use_sliding_window: true },
  ],
  ['partial rotation', { 'qwen3.rope.dimension_count': u32(8) }, { partial_rotary_factor: 0.5 }],
  ['attention to both sides', { 'qwen3.attention.causal': bool(false) }, { is_causal: false }],
])('modelConfig.%s is passed on, and the graph builder refuses it', async (_, metadata, expected) => {
  const config = await configOf(withMetadata(qwen3, metadata));
  expect(config).toMatchObject(expected);
  expect(() => readBackboneConfig('m.gguf', config)).toThrow(/m\.gguf: /);
});

test('modelConfig.scaling that scales nothing is none', async () => {
  const none = { 'llama.rope.scaling.type': str('none') };
  const byOne = { 'llama.rope.scaling.type': str('linear'), 'llama.rope.scaling.factor': f32(1) };
  const wholeHead = { 'llama.rope.dimension_count': u32(TINY.headDim), 'llama.attention.causal': bool(true) };
  for (const metadata of [none, byOne, wholeHead]) {
    expect(await configOf(withMetadata(llama, metadata))).toEqual(await configOf(llama));
  }
});

test('modelConfig.factors of Llama 3 become its rope_scaling, others are refused', async () => {
  const theta = withMetadata(llama, { 'llama.rope.freq_base': f32(500_000) });
  const wavelength = (i: number): number => 2 * Math.PI * 500_000 ** (i / 8);
  const factors = Array.from({ length: 8 }, (_, i) => {
    if (wavelength(i) < 2048) return 1;
    if (wavelength(i) > 8192) return 8;
    const smooth = (8192 / wavelength(i) - 1) / 3;
    return 1 / ((1 - smooth) / 8 + smooth);
  });
  const config = await configOf(withTensor(theta, 'rope_freqs.weight', ...factors));
  expect(config.rope_scaling).toMatchObject({ rope_type: 'llama3', factor: 8 });
  expect(readBackboneConfig('m.gguf', config).rope.scaling?.originalMaxPositions).toBe(8192);
  await expect(configOf(withTensor(theta, 'rope_freqs.weight', 1, 1, 1, 1, 1, 1, 1, 7))).rejects.toThrow(
    /tensor "rope_freqs.weight" has rotary factors other than those of Llama 3/,
  );
});

test.each<[Record<string, Buffer | undefined>, string]>([
  [{ 'llama.block_count': undefined }, 'metadata key "llama.block_count" is missing; expected an integer'],
  [
    { 'llama.block_count': str('2') },
    'metadata key "llama.block_count" is of type string; expected an integer',
  ],
  [{ 'llama.block_count': u32(0) }, 'metadata key "llama.block_count" is 0; expected at least 1'],
  [
    { 'llama.rope.freq_base': u32(10_000) },
    'metadata key "llama.rope.freq_base" is of type uint32; expected a float',
  ],
  [{ 'llama.attention.value_length': u32(8) }, 'are 16 and 8; expected the same'],
  [
    { 'llama.attention.key_length': u32(15), 'llama.attention.value_length': u32(15) },
    'the head size is 15 ("llama.attention.key_length"); expected an even number',
  ],
  [
    { 'llama.vocab_size': u32(9) },
    `"llama.vocab_size" is 9; tensor "token_embd.weight" has ${TOKENS.length} rows`,
  ],
])('modelConfig.refuses %j', async (metadata, message) => {
  await expect(configOf(withMetadata(llama, metadata))).rejects.toThrow(message);
});

test('modelConfig.scaling stated twice is refused', async () => {
  const factors = withTensor(llama, 'rope_freqs.weight', ...new Array<number>(8).fill(1));
  const spec = withMetadata(factors, { 'llama.rope.scaling.type': str('yarn') });
  await expect(configOf(spec)).rejects.toThrow(
    /"llama.rope.scaling.type" is "yarn", and tensor "rope_freqs.weight"/,
  );
});

/** As the converter computes them from config.json, in float32. */
function factorsOf(theta: number, headDim: number, factor: number, original: number): Float32Array {
  return Float32Array.from({ length: headDim / 2 }, (_, i) => {
    const wavelength = 2 * Math.PI * theta ** ((2 * i) / headDim);
    if (wavelength < original / 4) return 1;
    if (wavelength > original) return factor;
    const smooth = (original / wavelength - 1) / 3;
    return 1 / ((1 - smooth) / factor + smooth);
  });
}

test.each([8, 32])('llama3RopeScaling.finds the released parameters, factor %d', (factor) => {
  expect(llama3RopeScaling(factorsOf(500_000, 64, factor, 8192), 500_000, 64)).toEqual({
    rope_type: 'llama3',
    factor,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 8192,
  });
});

test('llama3RopeScaling.is undefined for other factors', () => {
  expect(llama3RopeScaling(factorsOf(500_000, 64, 8, 4096), 500_000, 64)).toBeUndefined();
  expect(llama3RopeScaling(factorsOf(500_000, 64, 8, 8192), 10_000, 64)).toBeUndefined();
  expect(llama3RopeScaling(factorsOf(500_000, 128, 8, 8192), 500_000, 64)).toBeUndefined();
  expect(llama3RopeScaling(new Float32Array(32), 500_000, 64)).toBeUndefined();
});
