import { numericsOf } from '@tocsin/backbone';
import { type ContentArtifact, readArtifact, type TrajectoryArtifact } from '@tocsin/siren';
import { goldenArtifact } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { fingerprintOf } from './fingerprint.js';

const { config, weights } = goldenArtifact('llama31-ropescaled');
const artifact = readArtifact(config, weights);
if (artifact.task !== 'content') throw new Error('the fixture has changed');
const DIGESTS = ['aa', 'bb'];
const FLOAT32 = numericsOf('float32', 'cpu');
const fingerprint = (change: Partial<ContentArtifact>, digests = DIGESTS): string =>
  fingerprintOf({ ...artifact, ...change }, digests, FLOAT32);

const [first, second] = artifact.layers;
const [dense, ...denser] = artifact.head;
if (first === undefined || second === undefined || dense === undefined)
  throw new Error('the fixture has changed');
/** `values` with the last one a little larger. */
const nudged = <T extends Float32Array | Int32Array>(values: T): T => {
  const copy = values.slice() as T;
  copy[copy.length - 1] = (copy.at(-1) ?? 0) + 1;
  return copy;
};

test('64 hex digits, the same on every machine: scores are kept under it', () => {
  expect(fingerprint({})).toBe('94aa0d33115310408f22f55e0f65525020548cc6f1a9dd8b8662c3d0717a0375');
});

test.each<[string, string]>([
  ['max_length', fingerprint({ maxLength: 127 })],
  ['pooling', fingerprint({ pooling: 'mlp_mean' })],
  ["a layer's index", fingerprint({ layers: [{ ...first, index: 0 }, second] })],
  ["a layer's weight", fingerprint({ layers: [{ ...first, weight: 0.2 }, second] })],
  ['a neuron', fingerprint({ layers: [{ ...first, neurons: nudged(first.neurons) }, second] })],
  ['a layer less', fingerprint({ layers: [first] })],
  ['a weight of the head', fingerprint({ head: [{ ...dense, weight: nudged(dense.weight) }, ...denser] })],
  ['a bias of the head', fingerprint({ head: [{ ...dense, bias: nudged(dense.bias) }, ...denser] })],
  ["a backbone file's digest", fingerprint({}, ['aa', 'bc'])],
  ['digests that run together', fingerprint({}, ['aab', 'b'])],
  ['digests in another order', fingerprint({}, ['bb', 'aa'])],
])('%s changes it', (_what, changed) => {
  expect(changed).toMatch(/^[0-9a-f]{64}$/);
  expect(changed).not.toBe(fingerprint({}));
});

test('what changes no score does not change it: default threshold, names of the backbone', () => {
  const baseModel = { modelId: 'elsewhere', revision: 'main', hiddenSize: undefined, numLayers: undefined };
  expect(fingerprint({ defaultThreshold: 0.9, baseModel })).toBe(fingerprint({}));
});

test("a trajectory guard's blocks and readout are in it", () => {
  const trajectory: TrajectoryArtifact = {
    task: 'trajectory',
    baseModel: artifact.baseModel,
    maxLength: 256,
    defaultThreshold: 0.5,
    blocks: 4,
    readout: { weight: Float32Array.of(1, 2), bias: 0.5 },
  };
  const of = (change: Partial<TrajectoryArtifact>): string =>
    fingerprintOf({ ...trajectory, ...change }, DIGESTS, FLOAT32);
  const all = [
    of({}),
    of({ blocks: 3 }),
    of({ maxLength: 255 }),
    of({ readout: { weight: Float32Array.of(1, 3), bias: 0.5 } }),
    of({ readout: { weight: Float32Array.of(1, 2), bias: 0.25 } }),
  ];
  expect(new Set(all).size).toBe(all.length);
  expect(of({ defaultThreshold: 0.9 })).toBe(of({}));
});
