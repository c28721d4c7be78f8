import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeTinyPair } from '@tocsin/backbone/testing';
import { float32Tensor, tempDir, writeSafetensors } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { Guard } from './guard.js';

const temp = tempDir();
const HIDDEN = 32;

/** A head with one hidden layer that reads every neuron of both layers, and gives texts different scores. */
async function writeArtifact(dir: string): Promise<void> {
  const neurons = Array.from({ length: HIDDEN }, (_, i) => i);
  const values = (count: number, scale: number) =>
    Array.from({ length: count }, (_, i) => scale * Math.sin(1 + i * i));
  await mkdir(dir);
  await writeFile(
    join(dir, 'siren_config.json'),
    JSON.stringify({
      base_model: { model_id: 'tiny', hidden_size: HIDDEN, num_layers: 2 },
      siren_module: {
        pooling_type: 'residual_mean',
        selected_layers: [0, 1],
        layer_weights: { 0: 0.01, 1: 0.5 },
        selected_neurons_dict: { layer0_residual_mean: neurons, layer1_residual_mean: neurons },
      },
      mlp: { input_dim: 2 * HIDDEN, layer_dims: [8], dropout_rates: [0.1], num_classes: 2 },
      inference: { max_length: 64, default_threshold: 0.5 },
    }),
  );
  await writeFile(
    join(dir, 'siren.safetensors'),
    writeSafetensors([
      float32Tensor('network.0.weight', [8, 2 * HIDDEN], values(16 * HIDDEN, 0.2)),
      float32Tensor('network.0.bias', [8], values(8, 0.1)),
      float32Tensor('network.3.weight', [2, 8], values(16, 1)),
      float32Tensor('network.3.bias', [2], values(2, 0.1)),
    ]),
  );
}

const TEXTS = [
  'hello',
  'the world',
  '1234 tokens',
  'na\u00efve caf\u00e9',
  ' ',
  'a <think> b',
  'x '.repeat(90),
];

test.each([
  ['llama', 'F16'],
  ['llama', 'Q4_1'],
  ['qwen3', 'Q8_0'],
] as const)(
  'a %s out of a GGUF of %s has the scores of the same weights as safetensors',
  async (family, type) => {
    const dir = await mkdtemp(join(temp, 'x-'));
    const { gguf, checkpoint } = await writeTinyPair(dir, family, type);
    const artifact = join(dir, 'artifact');
    await writeArtifact(artifact);
    const scores: number[][] = [];
    for (const backbone of [gguf, checkpoint]) {
      const guard = await Guard.fromPretrained(artifact, { backbone, cacheDir: join(dir, 'cache') });
      try {
        expect(guard.info.family).toBe(family);
        scores.push((await guard.scoreBatch(TEXTS)).map(({ score }) => score));
      } finally {
        await guard.close();
      }
    }
    for (const [i, score] of (scores[0] ?? []).entries())
      expect(score).toBeCloseTo(scores[1]?.[i] ?? Number.NaN, 6);
    // Scores of exactly 0 and 1 would match whatever the weights.
    const between = scores.flat().filter((score) => score > 0.01 && score < 0.99);
    expect(new Set(between).size).toBeGreaterThan(3);
  },
);

test.each([
  ['qwen3', 'Q8_0', 'int8', 0.02],
  ['llama', 'Q4_1', 'int4', 0.1],
] as const)(
  'a %s out of a GGUF of %s, held as %s, scores nearly the same',
  async (family, type, precision, near) => {
    const dir = await mkdtemp(join(temp, 'x-'));
    const { gguf } = await writeTinyPair(dir, family, type);
    const artifact = join(dir, 'artifact');
    await writeArtifact(artifact);
    const scores: number[][] = [];
    for (const held of ['float32', precision]) {
      const options = { backbone: gguf, cacheDir: join(dir, 'cache'), precision: held, device: 'cpu' };
      const guard = await Guard.fromPretrained(artifact, options);
      try {
        expect(guard.info).toMatchObject({ precision: held, device: 'cpu' });
        scores.push((await guard.scoreBatch(TEXTS)).map(({ score }) => score));
      } finally {
        await guard.close();
      }
    }
    for (const [i, score] of (scores[0] ?? []).entries()) {
      expect(Math.abs(score - (scores[1]?.[i] ?? Number.NaN))).toBeLessThan(near);
    }
  },
);
