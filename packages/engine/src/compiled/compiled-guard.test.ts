import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import {
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BackboneConfig } from '@tocsin/backbone';
import { UserError } from '@tocsin/core';
import { type Artifact, readArtifact } from '@tocsin/siren';
import { goldenArtifact, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { beforeEach, describe, expect, test } from 'vitest';
import { checkFits, compileGuard, findCompiled, LAYOUT_VERSION, listCompiled } from './compiled-guard.js';
import { type OpenGuard, openGuard } from './open-guard.js';

const SINGLE = 'model.safetensors';
const temp = tempDir();
let cacheDir = '';
let artifact = '';
let backbone = '';
let weights = '';

beforeEach(async () => {
  const dir = await mkdtemp(join(temp, 'x-'));
  cacheDir = join(dir, 'cache');
  artifact = join(dir, 'artifact');
  backbone = join(dir, 'backbone');
  weights = join(backbone, SINGLE);
  const golden = goldenDirs('qwen3-residual');
  await cp(golden.artifact, artifact, { recursive: true });
  await cp(golden.backbone, backbone, { recursive: true });
});

/** Opens the guard. @returns it, and the reported steps */
async function open(): Promise<OpenGuard & { steps: string[] }> {
  const steps: string[] = [];
  const guard = await openGuard(artifact, { backbone, cacheDir, onEvent: ({ step }) => steps.push(step) });
  return { ...guard, steps };
}

const compiledDirs = (): Promise<string[]> => readdir(join(cacheDir, 'compiled'));

test('a directory of its own holds all that scoring needs, under the fingerprint', async () => {
  const { compiled, fingerprint, steps } = await open();
  expect(steps).toEqual(['compile']);
  expect(await compiledDirs()).toEqual([`${fingerprint}-${LAYOUT_VERSION}`]);
  expect((await readdir(compiled.dir)).sort()).toEqual([
    'guard.json',
    'model.onnx',
    'prefix.onnx',
    'tokenizer.json',
    'weights-0.safetensors',
  ]);
  expect(compiled.config.family).toBe('qwen3');
  const tokenizer = await readFile(compiled.tokenizerFile);
  expect(tokenizer.equals(await readFile(join(backbone, 'tokenizer.json')))).toBe(true);
});

test('the second time nothing is compiled', async () => {
  const first = await open();
  const before = await stat(first.compiled.modelFile, { bigint: true });
  const { steps, ...second } = await open();
  expect(steps).toEqual([]);
  expect(second).toEqual({ ...first, steps: undefined });
  const after = await stat(second.compiled.modelFile, { bigint: true });
  expect([after.mtimeNs, after.ino]).toEqual([before.mtimeNs, before.ino]);
});

test('another default threshold is the same guard, another length another one', async () => {
  const { fingerprint } = await open();
  const file = join(artifact, 'siren_config.json');
  const config = JSON.parse(await readFile(file, 'utf8')) as { inference: object };
  const write = (change: object) =>
    writeFile(file, JSON.stringify({ ...config, inference: { ...config.inference, ...change } }));
  await write({ default_threshold: 0.9 });
  expect((await open()).fingerprint).toBe(fingerprint);
  await write({ max_length: 100 });
  expect((await open()).fingerprint).not.toBe(fingerprint);
});

test('weights that are written over in place are noticed: another guard, and the old one is not taken for whole', async () => {
  const original = await readFile(weights);
  const first = await open();
  const other = Buffer.from(original);
  other.writeUInt8(other.readUInt8(other.length - 1) ^ 1, other.length - 1);
  await overwrite(weights, other);
  const second = await open();
  expect(second.fingerprint).not.toBe(first.fingerprint);
  expect(second.steps).toEqual(['compile']);
  expect(await findCompiled(cacheDir, first.fingerprint)).toBeUndefined();

  await overwrite(weights, original);
  const third = await open();
  expect(third.fingerprint).toBe(first.fingerprint);
  expect(third.steps).toEqual(['compile']);
  expect(await findCompiled(cacheDir, first.fingerprint)).toEqual(third.compiled);
});

test.each<[string, (guard: OpenGuard) => Promise<void>]>([
  ['a model cut short', ({ compiled }) => truncate(compiled.modelFile, 100)],
  ['another tokenizer', ({ compiled }) => writeFile(compiled.tokenizerFile, '{}')],
  ['a list of files cut short', ({ compiled }) => writeFile(join(compiled.dir, 'guard.json'), '{"config":')],
])('%s in the cache is compiled again', async (_what, damage) => {
  const first = await open();
  const whole = await readFile(first.compiled.modelFile);
  await damage(first);
  const again = await open();
  expect(again.steps).toEqual(['compile']);
  expect((await readFile(again.compiled.modelFile)).equals(whole)).toBe(true);
  expect((await open()).steps).toEqual([]);
});

test('two processes that compile at once end with one directory', async () => {
  const module = new URL('../../dist/compiled/open-guard.js', import.meta.url).href;
  const script = `
    import { openGuard } from ${JSON.stringify(module)};
    const guard = await openGuard(${JSON.stringify(artifact)}, ${JSON.stringify({ backbone, cacheDir })});
    console.log(guard.fingerprint);`;
  const run = promisify(execFile);
  const processes = [1, 2].map(() => run(process.execPath, ['--input-type=module', '-e', script]));
  const printed = (await Promise.all(processes)).map(({ stdout }) => stdout.trim());
  const { fingerprint, steps } = await open();
  expect(printed).toEqual([fingerprint, fingerprint]);
  expect(steps).toEqual([]);
  expect(await compiledDirs()).toEqual([`${fingerprint}-${LAYOUT_VERSION}`]);
});

test('so do many in one process', async () => {
  const guards = await Promise.all([1, 2, 3, 4].map(() => open()));
  expect(await compiledDirs()).toEqual([`${guards[0]?.fingerprint}-${LAYOUT_VERSION}`]);
  expect(new Set(guards.map(({ compiled }) => compiled.modelFile)).size).toBe(1);
});

/** As left by a process that was killed while compiling. */
async function abandonCompilation(fingerprint: string): Promise<void> {
  const lock = join(cacheDir, 'compiled', `${fingerprint}-${LAYOUT_VERSION}.lock`);
  await mkdir(`${lock}.somebody`, { recursive: true });
  await copyFile(weights, join(`${lock}.somebody`, 'weights-0.safetensors'));
  await writeFile(lock, 'somebody');
}

test('what a killed process left behind is removed', async () => {
  const { fingerprint, artifact: parts, compiled } = await open();
  await truncate(compiled.modelFile, 100);
  await abandonCompilation(fingerprint);
  await compileGuard(
    cacheDir,
    fingerprint,
    parts,
    { kind: 'safetensors', dir: backbone },
    {
      timing: { beat: 50, poll: 10, patience: 5 },
    },
  );
  expect(await compiledDirs()).toEqual([`${fingerprint}-${LAYOUT_VERSION}`]);
  expect(await findCompiled(cacheDir, fingerprint)).toEqual(compiled);
});

test('waiting for another process is told, and an abort ends it', async () => {
  const { fingerprint, compiled } = await open();
  await truncate(compiled.modelFile, 100);
  await abandonCompilation(fingerprint);
  const controller = new AbortController();
  const steps: string[] = [];
  const waiting = openGuard(artifact, {
    backbone,
    cacheDir,
    signal: controller.signal,
    onEvent: ({ step }) => {
      steps.push(step);
      if (step === 'wait') controller.abort();
    },
  });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  expect(steps).toEqual(['compile', 'wait']);
});

test('a backbone that does not fit leaves nothing behind', async () => {
  const { backbone: other } = goldenDirs('qwen3-agent');
  const config = JSON.parse(await readFile(join(other, 'config.json'), 'utf8')) as object;
  await writeFile(join(backbone, 'config.json'), JSON.stringify({ ...config, hidden_size: 32 }));
  await expect(open()).rejects.toThrow('the backbone does not fit the artifact');
  expect(existsSync(join(cacheDir, 'compiled'))).toBe(true);
  expect(await compiledDirs()).toEqual([]);
});

/** Overwrites the file in place, so that hard links see the new bytes, with a different modification time each time. */
async function overwrite(file: string, bytes: Buffer): Promise<void> {
  const { mtimeMs } = await stat(file);
  await writeFile(file, bytes);
  await utimes(file, new Date(), new Date(mtimeMs + 5000));
}

test('a compiled guard is listed by what it was compiled as, one of an older layout as such', async () => {
  const cacheDir = join(temp, 'cache');
  expect(await listCompiled(cacheDir)).toEqual([]);
  const { artifact } = goldenDirs('qwen3-mlp');
  const { fingerprint, compiled } = await openGuard(artifact, { cacheDir });
  const old = join(cacheDir, 'compiled', `${'0'.repeat(64)}-1`);
  await mkdir(old);
  await writeFile(join(old, 'guard.json'), '{"files":[]}');
  await mkdir(join(cacheDir, 'compiled', 'something-else'));
  expect(await listCompiled(cacheDir)).toEqual([
    { dir: old, fingerprint: '0'.repeat(64), guard: undefined, current: false },
    { dir: compiled.dir, fingerprint, guard: artifact, current: true },
  ]);
});

describe('check fits', () => {
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
  /** The artifact without its backbone's sizes. */
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
});
