import type { BackboneConfig } from '@tocsin/backbone';
import { UserError } from '@tocsin/core';
import { type Artifact, readArtifact } from '@tocsin/siren';
import { goldenArtifact } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { checkFits } from './check-fits.js';

const { config, weights } = goldenArtifact('llama31-ropescaled');
const artifact = readArtifact(config, weights);
const backbone: BackboneConfig = {
  family: 'llama',
  hiddenSize: 64,
  intermediateSize: 160,
  numLayers: 4,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 16,
  rmsNormEps: 1e-5,
  vocabSize: 397,
  attentionBias: false,
  mlpBias: false,
  rope: { theta: 10_000, scaling: undefined },
};
/** The artifact, saying nothing of its backbone's sizes. */
const silent: Artifact = {
  ...artifact,
  baseModel: { ...artifact.baseModel, hiddenSize: undefined, numLayers: undefined },
};

test('an artifact and its backbone fit', () => {
  checkFits(artifact, backbone);
  checkFits(silent, { ...backbone, numLayers: 3 });
});

test.each<[string, Artifact, Partial<BackboneConfig>, string]>([
  [
    'another hidden size',
    artifact,
    { hiddenSize: 128 },
    "base_model.hidden_size is 64, the backbone's is 128",
  ],
  ['more layers', artifact, { numLayers: 8 }, 'base_model.num_layers is 4, the backbone has 8'],
  ['too few layers', silent, { numLayers: 2 }, 'layer 2 is selected, the backbone has 2 layers'],
  [
    'a hidden size too small',
    silent,
    { hiddenSize: 61 },
    'neuron 61 of layer 1 is selected, the hidden size is 61',
  ],
])('%s: refused, and the hint names the model', (_what, fitted, change, message) => {
  const check = () => checkFits(fitted, { ...backbone, ...change });
  expect(check).toThrow(UserError);
  expect(check).toThrow(`the backbone does not fit the artifact: ${message}`);
  expect(check).toThrow(
    expect.objectContaining({ hint: 'The artifact was trained on llama31-ropescaled/backbone.' }),
  );
});
