import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { numericsOf } from '@tocsin/backbone';
import { type ContentArtifact, readArtifact, type TrajectoryArtifact } from '@tocsin/siren';
import { goldenArtifact, tempDir } from '@tocsin/siren/testing';
import { beforeEach, expect, test } from 'vitest';
import { digestFiles, fingerprintOf } from './fingerprint.js';

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
/** `values` with the last one slightly larger. */
const nudged = <T extends Float32Array | Int32Array>(values: T): T => {
  const copy = values.slice() as T;
  copy[copy.length - 1] = (copy.at(-1) ?? 0) + 1;
  return copy;
};

test('64 hex digits, the same on every machine: scores are kept under it', () => {
  expect(fingerprint({})).toBe('78334f0f6d83607576aa6f34f91023192f87a08aebfa830b6685482a93b20ba7');
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

const temp = tempDir();
let dir = '';
let cache = '';
let file = '';

beforeEach(async () => {
  dir = await mkdtemp(join(temp, 'x-'));
  cache = join(dir, 'cache', 'below');
  file = join(dir, 'weights');
  await writeFile(file, 'weights');
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const memoFile = (): string => join(cache, 'file-digests.json');

/** Replaces the digests of all cached files with wrong ones, to show whether the cache is used. */
async function falsifyMemo(): Promise<void> {
  const memo = JSON.parse(await readFile(memoFile(), 'utf8')) as Record<string, string>;
  await writeFile(
    memoFile(),
    JSON.stringify(Object.fromEntries(Object.keys(memo).map((key) => [key, 'false']))),
  );
}

test('digests in the given order, remembered in a cache directory that is made', async () => {
  const other = join(dir, 'other');
  await writeFile(other, 'other');
  expect(await digestFiles([other, file, other], cache)).toEqual([
    sha256('other'),
    sha256('weights'),
    sha256('other'),
  ]);
  await falsifyMemo();
  expect(await digestFiles([file], cache)).toEqual(['false']);
});

test.each<[string, () => Promise<void>]>([
  [
    'written over in place',
    async () => {
      await writeFile(file, 'WEIGHTS');
      await utimes(file, new Date(), new Date(Date.now() + 5000));
    },
  ],
  [
    'replaced by another of the same time',
    async () => {
      await writeFile(join(dir, 'new'), 'WEIGHTS');
      await utimes(join(dir, 'new'), 1_700_000_000, 1_700_000_000);
      await rename(join(dir, 'new'), file);
    },
  ],
])('a file that was %s is read again', async (_how, change) => {
  await utimes(file, 1_700_000_000, 1_700_000_000);
  await digestFiles([file], cache);
  await falsifyMemo();
  await change();
  expect(await digestFiles([file], cache)).toEqual([sha256('WEIGHTS')]);
});

test('a memo that was cut short is made again', async () => {
  await digestFiles([file], cache);
  await writeFile(memoFile(), '{"a": "b');
  expect(await digestFiles([file], cache)).toEqual([sha256('weights')]);
  expect(JSON.parse(await readFile(memoFile(), 'utf8'))).toBeTypeOf('object');
});

test('many at once write one memo after another, and leave nothing else', async () => {
  const files = Array.from({ length: 20 }, (_, i) => join(dir, `file-${i}`));
  await Promise.all(files.map((path) => writeFile(path, path)));
  const digests = await Promise.all(files.map((path) => digestFiles([path], cache)));
  expect(digests).toEqual(files.map((path) => [sha256(path)]));
  expect(await readdir(cache)).toEqual(['file-digests.json']);
});

test('a file that is not there is told', async () => {
  await expect(digestFiles([join(dir, 'none')], cache)).rejects.toMatchObject({ code: 'ENOENT' });
});
