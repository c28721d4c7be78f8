import { UserError } from '@tocsin/core';
import { type GoldenGuard, goldenDirs } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import type { BackboneConfig } from './backbone-config.js';
import { type CheckpointTensor, openCheckpoint } from './checkpoint.js';
import { planTensors, takeTensors } from './tensor-plan.js';

const open = (guard: GoldenGuard) => openCheckpoint(goldenDirs(guard).backbone);

test.each<[GoldenGuard, number]>([
  ['llama-residual', 9],
  ['qwen3-residual', 11],
])('%s: the embedding, and so many tensors of each block', async (guard, perBlock) => {
  const { config } = await open(guard);
  const names = [...planTensors(config, 1).keys()];
  expect(names[0]).toBe('model.embed_tokens.weight');
  expect(names.filter((name) => name.startsWith('model.layers.1.'))).toHaveLength(perBlock);
  expect(names).toHaveLength(1 + 2 * perBlock);
});

test('blocks above the last one read are left out, and the final norm with them', async () => {
  const { config } = await open('llama-residual');
  const below = [...planTensors(config, 2).keys()];
  expect(below.some((name) => name.startsWith('model.layers.3.') || name === 'model.norm.weight')).toBe(
    false,
  );
  const all = [...planTensors(config, 3).keys()];
  expect(all.filter((name) => !below.includes(name))).toContain('model.norm.weight');
  expect(all).not.toContain('lm_head.weight');
});

test('biases are planned where the config says that there are some', async () => {
  const { config } = await open('llama-residual');
  const biases = (change: Partial<BackboneConfig>) =>
    [...planTensors({ ...config, ...change }, 0)].filter(([name]) => name.endsWith('.bias'));
  expect(biases({})).toEqual([]);
  expect(biases({ attentionBias: true }).map(([, shape]) => shape)).toEqual([[64], [32], [32], [64]]);
  expect(biases({ mlpBias: true }).map(([, shape]) => shape)).toEqual([[160], [160], [64]]);
});

test.each<GoldenGuard>(['llama-residual', 'llama31-ropescaled', 'qwen3-mlp', 'qwen3-residual'])(
  '%s: every planned tensor is there, as planned',
  async (guard) => {
    const checkpoint = await open(guard);
    const plan = planTensors(checkpoint.config, checkpoint.config.numLayers - 1);
    expect([...takeTensors(checkpoint, plan, 'dir').keys()]).toEqual([...plan.keys()]);
  },
);

const NAME = 'model.layers.1.mlp.up_proj.weight';

test.each<[string, Partial<CheckpointTensor> | undefined, string]>([
  ['missing', undefined, `dir: tensor ${NAME} is missing`],
  ['of integers', { dtype: 'I8' }, `tensor ${NAME} has dtype I8, expected F32, F16, BF16`],
  ['of an unknown type', { dtype: 'F8_E4M3' }, `tensor ${NAME} has dtype F8_E4M3, expected F32, F16, BF16`],
  ['turned', { shape: [64, 160] }, `tensor ${NAME} has shape [64,160], config.json makes it [160,64]`],
  ['flat', { shape: [10240] }, `tensor ${NAME} has shape [10240], config.json makes it [160,64]`],
])('a tensor that is %s is told', async (_what, change, message) => {
  const { config, tensors } = await open('llama-residual');
  const changed = new Map(tensors);
  const tensor = changed.get(NAME);
  changed.delete(NAME);
  if (tensor !== undefined && change !== undefined) changed.set(NAME, { ...tensor, ...change });
  const take = () => takeTensors({ config, tensors: changed }, planTensors(config, 1), 'dir');
  expect(take).toThrow(UserError);
  expect(take).toThrow(message);
  // That block is not read, so errors in it do not matter.
  takeTensors({ config, tensors: changed }, planTensors(config, 0), 'dir');
});
