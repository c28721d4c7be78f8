/** Supported values of `general.architecture`, and Hugging Face's `model_type` for each. */
export const ARCHITECTURES = ['llama', 'qwen3'] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** How a tensor of the file is treated. */
export type TensorRole =
  /** Read, under this Hugging Face name. */
  | { kind: 'weight'; name: string; part: string }
  /** Not read: it follows the layers, or is a table that the graph computes itself. */
  | { kind: 'unread' }
  /** The Llama 3 scaling of rotary frequencies. */
  | { kind: 'rope-factors' }
  /** Unsupported: ignoring it would change the scores. */
  | { kind: 'refused' };

/** Hugging Face's names of a block's parts; `suffixes` are those of its architecture. */
const BLOCK_PARTS: Record<string, { name: string; suffixes: readonly string[]; only?: Architecture }> = {
  attn_norm: { name: 'input_layernorm', suffixes: ['weight'] },
  attn_q: { name: 'self_attn.q_proj', suffixes: ['weight', 'bias'] },
  attn_k: { name: 'self_attn.k_proj', suffixes: ['weight', 'bias'] },
  attn_v: { name: 'self_attn.v_proj', suffixes: ['weight', 'bias'] },
  attn_output: { name: 'self_attn.o_proj', suffixes: ['weight', 'bias'] },
  attn_q_norm: { name: 'self_attn.q_norm', suffixes: ['weight'], only: 'qwen3' },
  attn_k_norm: { name: 'self_attn.k_norm', suffixes: ['weight'], only: 'qwen3' },
  ffn_norm: { name: 'post_attention_layernorm', suffixes: ['weight'] },
  ffn_gate: { name: 'mlp.gate_proj', suffixes: ['weight', 'bias'] },
  ffn_up: { name: 'mlp.up_proj', suffixes: ['weight', 'bias'] },
  ffn_down: { name: 'mlp.down_proj', suffixes: ['weight', 'bias'] },
};

/** Tensors before or between the blocks. Anything else outside them follows the last norm. */
const NUMBERS_CHANGE = [
  /^token_embd_norm\./,
  /^token_types?\./,
  /^position_embd\./,
  /^output_norm\.bias$/,
  /^rope_/,
];

/** The role of tensor `name` in a GGUF model of `layers` blocks. */
export function tensorRole(name: string, architecture: Architecture, layers: number): TensorRole {
  if (name === 'token_embd.weight') return { kind: 'weight', name: 'model.embed_tokens.weight', part: name };
  if (name === 'output_norm.weight') return { kind: 'weight', name: 'model.norm.weight', part: name };
  if (name === 'rope_freqs.weight' && architecture === 'llama') return { kind: 'rope-factors' };
  if (name.startsWith('blk.')) return blockRole(name, architecture, layers);
  return { kind: NUMBERS_CHANGE.some((pattern) => pattern.test(name)) ? 'refused' : 'unread' };
}

/** Unknown tensors in a block are rejected: experts, extra norms and scales all change its output. */
function blockRole(name: string, architecture: Architecture, layers: number): TensorRole {
  const match = /^blk\.(0|[1-9]\d*)\.(\w+)\.(\w+)$/.exec(name);
  const [, layer = '', partName = '', suffix = ''] = match ?? [];
  if (partName === 'attn_rot_embd') return { kind: 'unread' };
  const part = Object.hasOwn(BLOCK_PARTS, partName) ? BLOCK_PARTS[partName] : undefined;
  if (match === null || part === undefined || !part.suffixes.includes(suffix) || Number(layer) >= layers) {
    return { kind: 'refused' };
  }
  if (part.only !== undefined && part.only !== architecture) return { kind: 'refused' };
  return {
    kind: 'weight',
    name: `model.layers.${layer}.${part.name}.${suffix}`,
    part: `${partName}.${suffix}`,
  };
}
