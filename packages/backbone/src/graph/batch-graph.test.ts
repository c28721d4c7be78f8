import { readArtifact } from '@tocsin/siren';
import { CONTENT_GUARDS, type GoldenGuard, goldenArtifact, goldenDirs } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { openCheckpoint } from '../checkpoint/checkpoint.js';
import { placed } from '../checkpoint/place-checkpoint.js';
import { planTensors, takeTensors } from '../checkpoint/tensor-plan.js';
import { BATCH_INPUTS, BATCH_SCORES, buildBatchGraph } from './batch-graph.js';

/** The graph of a golden guard, and its inputs. */
async function graphOf(guard: GoldenGuard) {
  const { config, weights } = goldenArtifact(guard);
  const artifact = readArtifact(config, weights);
  if (artifact.task !== 'content') throw new Error('the fixture has changed');
  const checkpoint = await openCheckpoint(goldenDirs(guard).backbone);
  const lastLayer = Math.max(...artifact.layers.map(({ index }) => index));
  const taken = takeTensors(checkpoint, planTensors(checkpoint.config, lastLayer), 'dir');
  const tensors = new Map(
    [...taken].map(([name, tensor]) => [name, placed(tensor, 'weights-0.safetensors')]),
  );
  const build = () => Buffer.from(buildBatchGraph(checkpoint.config, artifact, tensors));
  return { build, bytes: build(), artifact, tensors };
}

test.each(CONTENT_GUARDS)('%s: the same guard gives the same bytes', async (guard) => {
  const { build, bytes } = await graphOf(guard);
  expect(build().equals(bytes)).toBe(true);
  for (const name of [...Object.values(BATCH_INPUTS), BATCH_SCORES]) expect(bytes.includes(name)).toBe(true);
});

test.each<[GoldenGuard, number, boolean]>([
  ['llama-residual', 4, true],
  ['llama31-ropescaled', 3, false],
  ['qwen3-mlp', 4, true],
])(
  '%s: %i blocks, the final norm only above the last of all, no lm_head',
  async (guard, blocks, finalNorm) => {
    const { bytes } = await graphOf(guard);
    // The queries of a block are computed in four parts; the head has one softmax more.
    expect(bytes.toString('latin1').match(/n\d+_Softmax/g)).toHaveLength(4 * blocks + 1);
    const layers = [0, 1, 2, 3].filter((layer) => bytes.includes(`model.layers.${layer}.`));
    expect(layers).toEqual([0, 1, 2, 3].slice(0, blocks));
    expect(bytes.includes('model.norm.weight')).toBe(finalNorm);
    expect(bytes.includes('lm_head')).toBe(false);
  },
);

test.each(CONTENT_GUARDS)(
  '%s: the weights stay in their file, and only the head is in the graph',
  async (guard) => {
    const { bytes, artifact, tensors } = await graphOf(guard);
    const weight = artifact.head[0]?.weight ?? new Float32Array();
    expect(bytes.includes(Buffer.from(weight.buffer))).toBe(true);
    for (const { offset, byteLength } of tensors.values()) {
      expect(bytes.includes(String(offset))).toBe(true);
      expect(bytes.includes(String(byteLength))).toBe(true);
    }
    const inside = artifact.head.reduce(
      (sum, { weight, bias }) => sum + weight.byteLength + bias.byteLength,
      0,
    );
    const rope = 2 * artifact.maxLength * 8 * 4;
    expect(bytes.length).toBeLessThan(inside + rope + 80_000);
  },
);

test('a tensor that was not placed is a defect, told by name', async () => {
  const { config, weights } = goldenArtifact('qwen3-mlp');
  const checkpoint = await openCheckpoint(goldenDirs('qwen3-mlp').backbone);
  expect(() => buildBatchGraph(checkpoint.config, readArtifact(config, weights), new Map())).toThrow(
    'the graph reads model.embed_tokens.weight, which planTensors() did not plan',
  );
});
