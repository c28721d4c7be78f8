import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { float32Tensor, type TensorSpec, writeSafetensors } from '@tocsin/siren/testing';
import type { TensorType } from '../gguf/gguf-tensor.js';
import { openGguf } from '../gguf/open-gguf.js';
import type { Architecture } from '../gguf/tensor-name.js';
import { TINY, TOKENS, tinyModel, withMetadata } from '../gguf/testing/tiny-model.js';
import { type TensorSpec as GgufTensorSpec, interleave, str, writeGguf } from '../gguf/testing/write-gguf.js';

/** The same model in two formats. */
export interface TinyPair {
  /** A .gguf file. */
  gguf: string;
  /** A directory with config.json, tokenizer.json and model.safetensors. */
  checkpoint: string;
}

/**
 * Writes a model of two layers into `dir`. In the GGUF its matrices are of `type`, which holds every value exactly.
 * @param chatTemplate for both formats
 */
export async function writeTinyPair(
  dir: string,
  architecture: Architecture,
  type: TensorType,
  chatTemplate?: string,
): Promise<TinyPair> {
  const template = chatTemplate === undefined ? undefined : str(chatTemplate);
  const spec = withMetadata(tinyModel(architecture, type), { 'tokenizer.chat_template': template });
  const gguf = join(dir, `${architecture}-${type}.gguf`);
  const heads: Record<string, number> = { attn_q: TINY.heads, attn_k: TINY.keyValueHeads };
  const asConverted = (tensor: GgufTensorSpec): GgufTensorSpec => {
    const [rows = 0] = shapeOf(tensor);
    const interleaved = architecture === 'llama' ? heads[tensor.name.split('.')[2] ?? ''] : undefined;
    if (interleaved === undefined) return tensor;
    return { ...tensor, values: interleave(Float32Array.from(tensor.values), rows, interleaved) };
  };
  await writeFile(gguf, writeGguf({ ...spec, tensors: spec.tensors.map(asConverted) }));

  const checkpoint = join(dir, `${architecture}-${type}`);
  await mkdir(checkpoint);
  const tensors = spec.tensors.map(
    (tensor): TensorSpec => float32Tensor(huggingFaceName(tensor.name), shapeOf(tensor), tensor.values),
  );
  await writeFile(join(checkpoint, 'model.safetensors'), writeSafetensors(tensors));
  await writeFile(join(checkpoint, 'config.json'), JSON.stringify(configOf(architecture)));
  const { tokenizerJson, tokenizerConfig } = await openGguf(gguf);
  await writeFile(join(checkpoint, 'tokenizer.json'), JSON.stringify(tokenizerJson));
  await writeFile(join(checkpoint, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig));
  return { gguf, checkpoint };
}

const shapeOf = (tensor: GgufTensorSpec): number[] => tensor.dimensions.toReversed();

function configOf(architecture: Architecture): object {
  return {
    model_type: architecture,
    hidden_size: TINY.hidden,
    intermediate_size: TINY.inner,
    num_hidden_layers: TINY.layers,
    num_attention_heads: TINY.heads,
    num_key_value_heads: TINY.keyValueHeads,
    head_dim: TINY.headDim,
    rms_norm_eps: 2 ** -17,
    rope_theta: 10_000,
    vocab_size: TOKENS.length,
    tie_word_embeddings: true,
  };
}

const NAMES: Record<string, string> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  attn_norm: 'input_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  attn_q_norm: 'self_attn.q_norm',
  attn_k_norm: 'self_attn.k_norm',
  ffn_norm: 'post_attention_layernorm',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

function huggingFaceName(ggufName: string): string {
  const [, layer, part] = /^blk\.(\d+)\.(\w+)\.weight$/.exec(ggufName) ?? [];
  const name = NAMES[part ?? ggufName];
  if (name === undefined) throw new Error(`no Hugging Face name for ${ggufName}`);
  return layer === undefined ? name : `model.layers.${layer}.${name}.weight`;
}
