import { expect, test } from 'vitest';
import { type Architecture, tensorRole } from './tensor-name.js';

const nameOf = (name: string, architecture: Architecture = 'llama'): string | undefined => {
  const role = tensorRole(name, architecture, 2);
  return role.kind === 'weight' ? role.name : undefined;
};
const kindOf = (name: string, architecture: Architecture = 'llama'): string =>
  tensorRole(name, architecture, 2).kind;

test('tensorRole.Hugging Face names', () => {
  expect(nameOf('token_embd.weight')).toBe('model.embed_tokens.weight');
  expect(nameOf('output_norm.weight')).toBe('model.norm.weight');
  expect(nameOf('blk.0.attn_norm.weight')).toBe('model.layers.0.input_layernorm.weight');
  expect(nameOf('blk.1.attn_q.weight')).toBe('model.layers.1.self_attn.q_proj.weight');
  expect(nameOf('blk.1.attn_k.bias')).toBe('model.layers.1.self_attn.k_proj.bias');
  expect(nameOf('blk.1.attn_v.weight')).toBe('model.layers.1.self_attn.v_proj.weight');
  expect(nameOf('blk.1.attn_output.weight')).toBe('model.layers.1.self_attn.o_proj.weight');
  expect(nameOf('blk.1.ffn_norm.weight')).toBe('model.layers.1.post_attention_layernorm.weight');
  expect(nameOf('blk.1.ffn_gate.weight')).toBe('model.layers.1.mlp.gate_proj.weight');
  expect(nameOf('blk.1.ffn_up.weight')).toBe('model.layers.1.mlp.up_proj.weight');
  expect(nameOf('blk.1.ffn_down.bias')).toBe('model.layers.1.mlp.down_proj.bias');
});

test('tensorRole.norms of q and k are Qwen3 only', () => {
  expect(nameOf('blk.0.attn_q_norm.weight', 'qwen3')).toBe('model.layers.0.self_attn.q_norm.weight');
  expect(nameOf('blk.0.attn_k_norm.weight', 'qwen3')).toBe('model.layers.0.self_attn.k_norm.weight');
  expect(kindOf('blk.0.attn_q_norm.weight', 'llama')).toBe('refused');
});

test('tensorRole.what would change the numbers is refused, what comes after the layers is left out', () => {
  const refused = [
    'blk.0.ffn_gate_exps.weight',
    'blk.0.ffn_gate_inp.weight',
    'blk.0.attn_qkv.weight',
    'blk.0.attn_post_norm.weight',
    'blk.0.attn_norm.bias',
    'blk.0.attn_q.scale',
    'blk.0.constructor.weight',
    'blk.2.attn_q.weight',
    'blk.00.attn_q.weight',
    'blk.x',
    'token_embd_norm.weight',
    'output_norm.bias',
    'rope_factors_long.weight',
  ];
  expect(refused.filter((name) => kindOf(name) !== 'refused')).toEqual([]);
  expect(kindOf('rope_freqs.weight', 'qwen3')).toBe('refused');
  expect(kindOf('rope_freqs.weight', 'llama')).toBe('rope-factors');
  const unread = ['output.weight', 'cls.weight', 'blk.0.attn_rot_embd.weight', 'anything'];
  expect(unread.filter((name) => kindOf(name) !== 'unread')).toEqual([]);
});
