import { isDeepStrictEqual } from 'node:util';
import { UserError } from '@tocsin/core';
import { z } from 'zod';
import type { Rope } from '../graph/rope.js';

/** The model families that the graph builder supports. */
type Family = 'llama' | 'qwen3';

/** A backbone's shape from its Hugging Face `config.json`: everything the graph needs, checked. */
export interface BackboneConfig {
  family: Family;
  hiddenSize: number;
  intermediateSize: number;
  numLayers: number;
  numHeads: number;
  /** Heads of keys and values (grouped-query attention); divides numHeads. */
  numKvHeads: number;
  headDim: number;
  rmsNormEps: number;
  vocabSize: number;
  /** q, k, v and o projections have biases. */
  attentionBias: boolean;
  /** gate, up and down projections have biases. */
  mlpBias: boolean;
  rope: Rope;
}

const ARCHITECTURES: Record<Family, string> = { llama: 'LlamaForCausalLM', qwen3: 'Qwen3ForCausalLM' };

/** Transformers' defaults for optional fields (LlamaConfig, Qwen3Config). */
const DEFAULTS: Record<Family, { rmsNormEps: number; headDim: number | undefined }> = {
  llama: { rmsNormEps: 1e-6, headDim: undefined },
  qwen3: { rmsNormEps: 1e-6, headDim: 128 },
};
const DEFAULT_ROPE_THETA = 10_000;

const positive = z.int().positive();
const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
});

const schema = z.looseObject({
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: positive,
  num_attention_heads: positive,
  num_key_value_heads: positive.nullish(),
  head_dim: positive.nullish(),
  rms_norm_eps: z.number().positive().optional(),
  vocab_size: positive,
  hidden_act: z.string().default('silu'),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
});
type RawConfig = z.infer<typeof schema>;

/**
 * Reads a `config.json`. Rejects unsupported features that would change the scores.
 * @throws UserError naming the file, the field, its value and the expected one
 */
export function readBackboneConfig(file: string, json: unknown): BackboneConfig {
  const family = familyOf(file, json);
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw new UserError(`${file}: ${z.prettifyError(parsed.error)}`);
  const raw = parsed.data;
  refuseUnbuiltFeatures(file, raw);

  const numKvHeads = raw.num_key_value_heads ?? raw.num_attention_heads;
  if (raw.num_attention_heads % numKvHeads !== 0) {
    throw new UserError(
      `${file}: num_attention_heads ${raw.num_attention_heads} is no multiple of num_key_value_heads ${numKvHeads}`,
    );
  }
  const headDim = raw.head_dim ?? DEFAULTS[family].headDim ?? raw.hidden_size / raw.num_attention_heads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw new UserError(`${file}: head_dim is ${headDim}, expected an even whole number`);
  }
  return {
    family,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    numLayers: raw.num_hidden_layers,
    numHeads: raw.num_attention_heads,
    numKvHeads,
    headDim,
    rmsNormEps: raw.rms_norm_eps ?? DEFAULTS[family].rmsNormEps,
    vocabSize: raw.vocab_size,
    attentionBias: raw.attention_bias,
    mlpBias: raw.mlp_bias,
    rope: ropeOf(file, raw),
  };
}

function familyOf(file: string, json: unknown): Family {
  const named = z
    .looseObject({ model_type: z.string().optional(), architectures: z.array(z.string()).nullish() })
    .safeParse(json);
  if (!named.success) throw new UserError(`${file}: ${z.prettifyError(named.error)}`);
  const { model_type, architectures } = named.data;
  const families = Object.keys(ARCHITECTURES) as Family[];
  const family = families.find((known) =>
    model_type === undefined ? architectures?.includes(ARCHITECTURES[known]) : known === model_type,
  );
  if (family === undefined) {
    const what = model_type ?? architectures?.join(', ') ?? 'not named';
    throw new UserError(`${file}: the architecture is ${what}; supported are ${families.join(', ')}`);
  }
  const architecture = architectures?.[0];
  if (architecture !== undefined && architecture !== ARCHITECTURES[family]) {
    throw new UserError(
      `${file}: architectures is ${architecture}; for ${family} only ${ARCHITECTURES[family]} is supported`,
    );
  }
  return family;
}

function refuseUnbuiltFeatures(file: string, raw: RawConfig): void {
  const refuse = (field: string, value: unknown, expected: string): never => {
    throw new UserError(
      `${file}: ${field} is ${JSON.stringify(value)}, which changes the numbers and is not built; expected ${expected}`,
    );
  };
  if (raw.hidden_act !== 'silu') refuse('hidden_act', raw.hidden_act, '"silu"');
  if (raw.use_sliding_window === true) refuse('use_sliding_window', true, 'false');
  const layerTypes = Array.isArray(raw.layer_types) ? raw.layer_types : [];
  const otherType = layerTypes.find((type) => type !== 'full_attention');
  if (otherType !== undefined) refuse('layer_types', otherType, 'full_attention in every layer');
  if (raw.quantization_config != null)
    refuse('quantization_config', raw.quantization_config, 'none (F32, F16 or BF16 weights)');
  if (raw.is_causal === false) refuse('is_causal', false, 'true');
  if (raw.use_bidirectional_attention === true) refuse('use_bidirectional_attention', true, 'false');
  for (const { partial_rotary_factor } of [raw, raw.rope_parameters, raw.rope_scaling].filter(isThere)) {
    if (partial_rotary_factor != null && partial_rotary_factor !== 1)
      refuse('partial_rotary_factor', partial_rotary_factor, '1');
  }
}

const isThere = <T>(value: T | null | undefined): value is T => value != null;

/** Rope from `rope_theta` + `rope_scaling`, or from transformers 5's `rope_parameters`. */
function ropeOf(file: string, raw: RawConfig): Rope {
  const field = raw.rope_parameters != null ? 'rope_parameters' : 'rope_scaling';
  const parameters = raw.rope_parameters ?? raw.rope_scaling ?? {};
  if (raw.rope_scaling != null && !isDeepStrictEqual(raw.rope_scaling, parameters)) {
    throw new UserError(`${file}: rope_scaling and rope_parameters are both given; they must agree`);
  }
  // transformers writes these for models with several kinds of layers.
  const perKind = Object.entries(parameters).find(([, value]) => z.looseObject({}).safeParse(value).success);
  if (perKind !== undefined) {
    throw new UserError(
      `${file}: ${field}.${perKind[0]} has different parameters; expected the same for every layer`,
    );
  }
  const thetas = [raw.rope_theta, parameters.rope_theta].filter((theta) => theta != null);
  if (new Set(thetas).size > 1) {
    throw new UserError(
      `${file}: rope_theta is ${raw.rope_theta}, ${field}.rope_theta is ${parameters.rope_theta}; they must agree`,
    );
  }
  const theta = thetas[0] ?? DEFAULT_ROPE_THETA;
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  if (type === 'default') return { theta, scaling: undefined };
  if (type !== 'llama3') {
    throw new UserError(
      `${file}: ${field}.rope_type is ${JSON.stringify(type)}; supported are "default" and "llama3"`,
    );
  }
  const scaling = z
    .object({
      factor: z.number().positive(),
      low_freq_factor: z.number().positive(),
      high_freq_factor: z.number().positive(),
      original_max_position_embeddings: positive,
    })
    .safeParse(parameters);
  if (!scaling.success) throw new UserError(`${file}: ${field}: ${z.prettifyError(scaling.error)}`);
  if (scaling.data.high_freq_factor <= scaling.data.low_freq_factor) {
    throw new UserError(`${file}: ${field}.high_freq_factor must be above low_freq_factor`);
  }
  return {
    theta,
    scaling: {
      factor: scaling.data.factor,
      lowFreqFactor: scaling.data.low_freq_factor,
      highFreqFactor: scaling.data.high_freq_factor,
      originalMaxPositions: scaling.data.original_max_position_embeddings,
    },
  };
}
