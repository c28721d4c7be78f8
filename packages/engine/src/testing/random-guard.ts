import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { float32Tensor, goldenDirs, writeSafetensors } from '@tocsin/siren/testing';

/** The shape of a test's backbone. */
export interface Shape {
  family: 'llama' | 'qwen3';
  hidden: number;
  inner: number;
  layers: number;
  heads: number;
  kvHeads: number;
  headDim: number;
  vocab: number;
  bias: boolean;
  maxLength: number;
  /** The head's bias towards "fine"; default 0. */
  harmlessBy?: number;
}

/** A guard of random weights, on disk and in memory. */
export interface RandomGuard {
  /** The artifact's directory, which names the backbone's. */
  artifact: string;
  shape: Shape;
  weights: ReadonlyMap<string, Float32Array>;
}

const CLASSES = 2;

/** Writes a guard whose head reads every neuron of its last block, so that rows get different scores. */
export async function writeRandomGuard(dir: string, shape: Shape): Promise<RandomGuard> {
  const { hidden, inner, layers, heads, kvHeads, headDim, vocab } = shape;
  let state = 7;
  const random = (count: number, size: number, around = 0): Float32Array =>
    Float32Array.from({ length: count }, () => {
      state = (state * 48_271) % 2_147_483_647;
      return around + size * ((2 * state) / 2_147_483_647 - 1);
    });
  const backbone = new Map<string, number[]>([['model.embed_tokens.weight', [vocab, hidden]]]);
  const linear = (name: string, outputs: number, inputs: number, bias: boolean): void => {
    backbone.set(`${name}.weight`, [outputs, inputs]);
    if (bias) backbone.set(`${name}.bias`, [outputs]);
  };
  for (let layer = 0; layer < layers; layer++) {
    const block = `model.layers.${layer}`;
    for (const norm of ['input_layernorm', 'post_attention_layernorm'])
      backbone.set(`${block}.${norm}.weight`, [hidden]);
    linear(`${block}.self_attn.q_proj`, heads * headDim, hidden, shape.bias);
    linear(`${block}.self_attn.k_proj`, kvHeads * headDim, hidden, shape.bias);
    linear(`${block}.self_attn.v_proj`, kvHeads * headDim, hidden, shape.bias);
    linear(`${block}.self_attn.o_proj`, hidden, heads * headDim, shape.bias);
    if (shape.family === 'qwen3') {
      for (const norm of ['q_norm', 'k_norm']) backbone.set(`${block}.self_attn.${norm}.weight`, [headDim]);
    }
    linear(`${block}.mlp.gate_proj`, inner, hidden, false);
    linear(`${block}.mlp.up_proj`, inner, hidden, false);
    linear(`${block}.mlp.down_proj`, hidden, inner, false);
  }
  backbone.set('model.norm.weight', [hidden]);
  const weights = new Map<string, Float32Array>();
  for (const [name, dims] of backbone) {
    const count = dims.reduce((product, size) => product * size, 1);
    const isNorm = /norm\.weight$/.test(name);
    weights.set(
      name,
      isNorm
        ? random(count, 0.2, 1)
        : random(count, name.endsWith('bias') ? 0.3 : 2.5 / Math.sqrt(dims.at(-1) ?? 1)),
    );
  }
  weights.set('network.0.weight', random(CLASSES * hidden, 2 / Math.sqrt(hidden)));
  weights.set('network.0.bias', Float32Array.of(shape.harmlessBy ?? 0, 0.05));

  const [artifact, checkpoint] = [join(dir, 'artifact'), join(dir, 'backbone')];
  await Promise.all([mkdir(artifact, { recursive: true }), mkdir(checkpoint, { recursive: true })]);
  const values = (name: string): Float32Array => weights.get(name) ?? new Float32Array();
  await writeFile(
    join(checkpoint, 'model.safetensors'),
    writeSafetensors([...backbone].map(([name, dims]) => float32Tensor(name, dims, values(name)))),
  );
  await writeFile(
    join(artifact, 'siren.safetensors'),
    writeSafetensors([
      float32Tensor('network.0.weight', [CLASSES, hidden], values('network.0.weight')),
      float32Tensor('network.0.bias', [CLASSES], values('network.0.bias')),
    ]),
  );
  await writeFile(join(checkpoint, 'config.json'), JSON.stringify(configOf(shape)));
  await copyFile(
    join(goldenDirs('qwen3-mlp').backbone, 'tokenizer.json'),
    join(checkpoint, 'tokenizer.json'),
  );
  await writeFile(join(artifact, 'siren_config.json'), JSON.stringify(artifactOf(shape, checkpoint)));
  return { artifact, shape, weights };
}

const configOf = (shape: Shape): object => ({
  model_type: shape.family,
  hidden_size: shape.hidden,
  intermediate_size: shape.inner,
  num_hidden_layers: shape.layers,
  num_attention_heads: shape.heads,
  num_key_value_heads: shape.kvHeads,
  head_dim: shape.headDim,
  rms_norm_eps: EPSILON,
  rope_theta: THETA,
  vocab_size: shape.vocab,
  attention_bias: shape.bias,
});

function artifactOf({ hidden, layers, maxLength }: Shape, checkpoint: string): object {
  const last = layers - 1;
  return {
    base_model: { model_id: checkpoint, hidden_size: hidden, num_layers: layers },
    siren_module: {
      pooling_type: 'residual_mean',
      selected_layers: [last],
      layer_weights: { [last]: 1 },
      selected_neurons_dict: { [`layer${last}_residual_mean`]: Array.from({ length: hidden }, (_, i) => i) },
    },
    mlp: { input_dim: hidden, layer_dims: [], dropout_rates: [], num_classes: CLASSES },
    inference: { max_length: maxLength, default_threshold: 0.5 },
  };
}

const EPSILON = 1e-6;
const THETA = 10_000;

type Vector = number[];

/**
 * P(harmful) of a row, computed token by token in plain JavaScript as transformers defines Llama and Qwen3, independently
 * of the graphs.
 */
export function referenceScore({ shape, weights }: RandomGuard, tokenIds: readonly number[]): number {
  const { hidden, heads, kvHeads, headDim, layers, family } = shape;
  const get = (name: string): Float32Array => {
    const values = weights.get(name);
    if (values === undefined) throw new Error(`no ${name}`);
    return values;
  };
  const multiply = (name: string, x: Vector): Vector => {
    const matrix = get(`${name}.weight`);
    const bias = weights.get(`${name}.bias`);
    return Array.from({ length: matrix.length / x.length }, (_, row) =>
      x.reduce((sum, value, i) => sum + value * (matrix[row * x.length + i] ?? 0), bias?.[row] ?? 0),
    );
  };
  const norm = (name: string, x: Vector): Vector => {
    const root = Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + EPSILON);
    return x.map((value, i) => (value / root) * (get(`${name}.weight`)[i] ?? 0));
  };
  const headsOf = (x: Vector, count: number): Vector[] =>
    Array.from({ length: count }, (_, head) => x.slice(head * headDim, (head + 1) * headDim));
  const rotate = (x: Vector, position: number): Vector =>
    x.map((value, i) => {
      const half = headDim / 2;
      const angle = position * THETA ** (-(2 * (i % half)) / headDim);
      const other = i < half ? -(x[i + half] ?? 0) : (x[i - half] ?? 0);
      return value * Math.cos(angle) + other * Math.sin(angle);
    });
  const add = (a: Vector, b: Vector): Vector => a.map((value, i) => value + (b[i] ?? 0));

  let states = tokenIds.map((id) =>
    Array.from(get('model.embed_tokens.weight').subarray(id * hidden, (id + 1) * hidden)),
  );
  for (let layer = 0; layer < layers; layer++) {
    const block = `model.layers.${layer}`;
    const normed = states.map((x) => norm(`${block}.input_layernorm`, x));
    const project = (part: 'q' | 'k' | 'v', count: number): Vector[][] =>
      normed.map((x, position) =>
        headsOf(multiply(`${block}.self_attn.${part}_proj`, x), count).map((head) => {
          if (part === 'v') return head;
          return rotate(family === 'qwen3' ? norm(`${block}.self_attn.${part}_norm`, head) : head, position);
        }),
      );
    const [queries, keys, values] = [project('q', heads), project('k', kvHeads), project('v', kvHeads)];
    states = states.map((x, at) => {
      const attended = Array.from({ length: heads }, (_, head) => {
        const kv = Math.floor((head * kvHeads) / heads);
        const query = queries[at]?.[head] ?? [];
        const scores = keys
          .slice(0, at + 1)
          .map(
            (key) =>
              query.reduce((sum, value, i) => sum + value * (key[kv]?.[i] ?? 0), 0) / Math.sqrt(headDim),
          );
        const most = Math.max(...scores);
        const shares = scores.map((score) => Math.exp(score - most));
        const total = shares.reduce((sum, share) => sum + share, 0);
        return Array.from({ length: headDim }, (_, i) =>
          shares.reduce((sum, share, j) => sum + (share / total) * (values[j]?.[kv]?.[i] ?? 0), 0),
        );
      }).flat();
      const middle = add(x, multiply(`${block}.self_attn.o_proj`, attended));
      const inner = norm(`${block}.post_attention_layernorm`, middle);
      const up = multiply(`${block}.mlp.up_proj`, inner);
      const gated = multiply(`${block}.mlp.gate_proj`, inner).map(
        (value, i) => (value / (1 + Math.exp(-value))) * (up[i] ?? 0),
      );
      return add(middle, multiply(`${block}.mlp.down_proj`, gated));
    });
  }
  const last = states.map((x) => norm('model.norm', x));
  const pooled = Array.from(
    { length: hidden },
    (_, i) => last.reduce((sum, x) => sum + (x[i] ?? 0), 0) / last.length,
  );
  const [fine = 0, harmful = 0] = multiply('network.0', pooled);
  return 1 / (1 + Math.exp(fine - harmful));
}
