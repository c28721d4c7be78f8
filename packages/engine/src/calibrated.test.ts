import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { foldCalibration } from '@tocsin/siren';
import {
  CONTENT_GUARDS,
  float32Tensor,
  goldenArtifact,
  goldenCases,
  goldenDirs,
  goldenTrajectories,
  tempDir,
  writeSafetensors,
} from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { Guard } from './guard.js';

const temp = tempDir();
const SCALING = { slope: 0.4, offset: -0.7 };
const TOLERANCE = 1e-6;

/** The score that the scaled logit has. */
function scaled(score: number): number {
  const logit = Math.log(score / (1 - score));
  return 1 / (1 + Math.exp(-(SCALING.slope * logit + SCALING.offset)));
}

/** How far one rounding of the unscaled score to float32 moves the scaled one: far where the score is near 1. */
function roundingOf(score: number): number {
  const now = scaled(score);
  return ((2 ** -24 * SCALING.slope) / (score * (1 - score))) * now * (1 - now);
}

async function guardOf(
  name: string,
  files: { config: Uint8Array; weights: Uint8Array },
  backbone: string,
): Promise<Guard> {
  const dir = join(temp, name);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'siren_config.json'), files.config);
  await writeFile(join(dir, 'siren.safetensors'), files.weights);
  return Guard.fromPretrained(dir, { backbone, cacheDir: join(temp, `${name}-cache`) });
}

test.each(CONTENT_GUARDS)('%s: the folded head scores as the scaled logits', async (name) => {
  const { config, weights } = goldenArtifact(name);
  await compare(name, { config: config.bytes, weights: weights.bytes });
});

test('a linear head', async () => {
  const name = 'qwen3-residual';
  const config = JSON.parse(new TextDecoder().decode(goldenArtifact(name).config.bytes));
  const inputs = config.mlp.input_dim as number;
  config.mlp = { ...config.mlp, layer_dims: [], dropout_rates: [] };
  const values = Array.from({ length: 2 * inputs }, (_, i) => 0.05 * Math.sin(i));
  const weights = writeSafetensors([
    float32Tensor('network.0.weight', [2, inputs], values),
    float32Tensor('network.0.bias', [2], [0.1, -0.2]),
  ]);
  await compare(name, { config: new TextEncoder().encode(JSON.stringify(config)), weights }, 'linear');
});

async function compare(
  name: (typeof CONTENT_GUARDS)[number],
  files: { config: Uint8Array; weights: Uint8Array },
  label: string = name,
): Promise<void> {
  const { backbone } = goldenDirs(name);
  const inputs = goldenCases(name).map(({ input }) => input);
  const named = {
    config: { file: 'siren_config.json', bytes: files.config },
    weights: { file: 'siren.safetensors', bytes: files.weights },
  };
  const before = await guardOf(`${label}-before`, files, backbone);
  const after = await guardOf(
    `${label}-after`,
    foldCalibration(named, SCALING, { threshold: 0.25 }),
    backbone,
  );
  try {
    expect(after.info.defaultThreshold).toBe(0.25);
    expect(after.info.fingerprint).not.toBe(before.info.fingerprint);
    const [old, now] = [await before.scoreBatch(inputs), await after.scoreBatch(inputs)];
    for (const [i, { score }] of now.entries()) {
      const base = old[i]?.score ?? Number.NaN;
      const limit = TOLERANCE + 4 * roundingOf(base);
      expect(Math.abs(score - scaled(base)), `case ${i}, from ${base}`).toBeLessThan(limit);
    }
  } finally {
    await before.close();
    await after.close();
  }
}

test('a trajectory guard', async () => {
  const artifact = goldenArtifact('qwen3-agent');
  const { backbone } = goldenDirs('qwen3-agent');
  const guard = await guardOf('agent', foldCalibration(artifact, SCALING, { threshold: 0.5 }), backbone);
  const before = await guardOf(
    'agent-before',
    { config: artifact.config.bytes, weights: artifact.weights.bytes },
    backbone,
  );
  try {
    for (const { input } of goldenTrajectories()) {
      const old = await before.score(input);
      const now = await guard.score(input);
      expect(Math.abs(now.score - scaled(old.score))).toBeLessThan(TOLERANCE);
    }
  } finally {
    await guard.close();
    await before.close();
  }
});
