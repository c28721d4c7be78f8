import { ropeFrequencies } from '../graph/rope.js';
import { damaged } from './byte-cursor.js';
import type { Metadata } from './metadata.js';
import type { Architecture } from './tensor-name.js';

const CLASSES: Record<Architecture, string> = { llama: 'LlamaForCausalLM', qwen3: 'Qwen3ForCausalLM' };

/** Fields of config.json that GGUF files lack; they follow from which tensors exist. */
export interface TensorFacts {
  vocabSize: number;
  /** There is no `output.weight`. */
  tied: boolean;
  attentionBias: boolean;
  mlpBias: boolean;
}

/** The size of the model that other checks need. */
export interface ModelShape {
  layers: number;
  hiddenSize: number;
  heads: number;
  keyValueHeads: number;
  headDim: number;
  ropeTheta: number;
}

/**
 * @throws UserError for a key that is missing, of the wrong type, or inconsistent with another
 */
export function readModelShape(metadata: Metadata, architecture: Architecture): ModelShape {
  const positive = (name: string): number => positiveInteger(metadata, `${architecture}.${name}`);
  const hiddenSize = positive('embedding_length');
  const heads = positive('attention.head_count');
  const keyValueHeads = metadata.entries.has(`${architecture}.attention.head_count_kv`)
    ? positive('attention.head_count_kv')
    : heads;
  const ropeTheta = metadata.get(`${architecture}.rope.freq_base`, 'float');
  return {
    layers: positive('block_count'),
    hiddenSize,
    heads,
    keyValueHeads,
    headDim: headDimOf(metadata, architecture, hiddenSize / heads),
    ropeTheta,
  };
}

/**
 * The file's metadata as a Hugging Face config.json. Features that the graph builder may not support (other rope
 * scaling, sliding windows, partial rotation) keep their Hugging Face names, so that one check of configs rejects them.
 * @param ropeScaling derived from `rope_freqs.weight`, if the file has one
 */
export function modelConfig(
  metadata: Metadata,
  architecture: Architecture,
  shape: ModelShape,
  facts: TensorFacts,
  ropeScaling: Record<string, unknown> | undefined,
): Record<string, unknown> {
  const key = (name: string): string => `${architecture}.${name}`;
  const window = metadata.find(key('attention.sliding_window'), 'integer') ?? 0;
  const rotated = metadata.find(key('rope.dimension_count'), 'integer') ?? shape.headDim;
  return {
    architectures: [CLASSES[architecture]],
    model_type: architecture,
    hidden_act: 'silu',
    hidden_size: shape.hiddenSize,
    intermediate_size: positiveInteger(metadata, key('feed_forward_length')),
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.keyValueHeads,
    head_dim: shape.headDim,
    rms_norm_eps: metadata.get(key('attention.layer_norm_rms_epsilon'), 'float'),
    rope_theta: shape.ropeTheta,
    rope_scaling: ropeScaling ?? statedRopeScaling(metadata, architecture),
    vocab_size: vocabSizeOf(metadata, architecture, facts.vocabSize),
    max_position_embeddings: positiveInteger(metadata, key('context_length')),
    tie_word_embeddings: facts.tied,
    attention_bias: facts.attentionBias,
    mlp_bias: facts.mlpBias,
    bos_token_id: metadata.find('tokenizer.ggml.bos_token_id', 'integer') ?? null,
    eos_token_id: metadata.find('tokenizer.ggml.eos_token_id', 'integer') ?? null,
    ...(window > 0 && { use_sliding_window: true, sliding_window: window }),
    ...(rotated !== shape.headDim && { partial_rotary_factor: rotated / shape.headDim }),
    ...(metadata.find(key('attention.causal'), 'boolean') === false && { is_causal: false }),
  };
}

/** `key_length` and `value_length`; defaults to an equal share of the hidden size. */
function headDimOf(metadata: Metadata, architecture: Architecture, share: number): number {
  const keyName = `${architecture}.attention.key_length`;
  const valueName = `${architecture}.attention.value_length`;
  const keyLength = metadata.find(keyName, 'integer') ?? share;
  const valueLength = metadata.find(valueName, 'integer') ?? share;
  if (keyLength !== valueLength) {
    throw damaged(
      metadata.path,
      `metadata keys "${keyName}" and "${valueName}" are ${keyLength} and ${valueLength}; expected the same`,
    );
  }
  if (!Number.isInteger(keyLength) || keyLength < 2 || keyLength % 2 !== 0) {
    throw damaged(metadata.path, `the head size is ${keyLength} ("${keyName}"); expected an even number`);
  }
  return keyLength;
}

/** `{arch}.rope.scaling.*`, or the older `rope.scale_linear`. llama.cpp reads a factor without a type as linear. */
function statedRopeScaling(metadata: Metadata, architecture: Architecture): Record<string, unknown> | null {
  const key = (name: string): string => `${architecture}.rope.${name}`;
  const factor = metadata.find(key('scaling.factor'), 'float') ?? metadata.find(key('scale_linear'), 'float');
  const unscaled = factor === undefined || factor === 0 || factor === 1;
  const type = metadata.find(key('scaling.type'), 'string') ?? (unscaled ? 'none' : 'linear');
  if (type === 'none' || (type === 'linear' && unscaled)) return null;
  const original = metadata.find(key('scaling.original_context_length'), 'integer');
  return {
    rope_type: type,
    factor,
    original_max_position_embeddings: original,
  };
}

function vocabSizeOf(metadata: Metadata, architecture: Architecture, rows: number): number {
  const stated = metadata.find(`${architecture}.vocab_size`, 'integer') ?? rows;
  if (stated !== rows) {
    throw damaged(
      metadata.path,
      `metadata key "${architecture}.vocab_size" is ${stated}; tensor "token_embd.weight" has ${rows} rows`,
    );
  }
  return rows;
}

function positiveInteger(metadata: Metadata, key: string): number {
  const value = metadata.get(key, 'integer');
  if (value < 1) throw damaged(metadata.path, `metadata key "${key}" is ${value}; expected at least 1`);
  return value;
}

/** From config.json of the Llama 3.1, 3.2 and 3.3 releases, which differ only in `factor`. */
const LLAMA3 = { lowFreqFactor: 1, highFreqFactor: 4, originalMaxPositions: 8192 };
/** A converter's float32 noise is 1e-6; wrong parameters differ in the first digits. */
const TOLERANCE = 1e-5;

/**
 * The `rope_scaling` of config.json from which a Llama 3 file's `rope_freqs.weight` was computed. The file holds only
 * the result, so the released parameters are tried and must reproduce every number.
 * @param factors divisor of each rotary frequency, [headDim / 2]
 * @returns undefined when no released parameters match
 */
export function llama3RopeScaling(
  factors: Float32Array,
  theta: number,
  headDim: number,
): Record<string, unknown> | undefined {
  if (factors.length !== headDim / 2) return undefined;
  const factor = factors.reduce((most, value) => Math.max(most, value), 0);
  const plain = ropeFrequencies({ theta, scaling: undefined }, headDim);
  const scaled = ropeFrequencies({ theta, scaling: { factor, ...LLAMA3 } }, headDim);
  const same = factors.every((value, i) => {
    const expected = (plain[i] ?? 0) / (scaled[i] ?? 0);
    return Math.abs(value - expected) <= TOLERANCE * expected;
  });
  if (!same) return undefined;
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: LLAMA3.lowFreqFactor,
    high_freq_factor: LLAMA3.highFreqFactor,
    original_max_position_embeddings: LLAMA3.originalMaxPositions,
  };
}
