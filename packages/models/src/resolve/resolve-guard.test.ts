import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveGuard } from './resolve-guard.js';

const GOLDEN = fileURLToPath(new URL('../../../../test/fixtures/golden', import.meta.url));
const CASES = ['llama-residual', 'llama31-ropescaled', 'qwen3-agent', 'qwen3-mlp', 'qwen3-residual'];
let dir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-guard-'));
});

afterEach(() => rm(dir, { recursive: true }));

test.each(CASES)('a golden artifact finds the backbone that it names: %s', async (name) => {
  const artifact = join(GOLDEN, name, 'artifact');
  const source = {
    name,
    artifact: { config: join(artifact, 'siren_config.json'), weights: join(artifact, 'siren.safetensors') },
    backbone: { kind: 'safetensors', dir: join(GOLDEN, name, 'backbone') },
  };
  expect(await resolveGuard(artifact)).toEqual(source);
  expect(await resolveGuard(source.artifact.config)).toEqual(source);
});

test('what is on this machine needs no hub: its settings may be anything', async () => {
  const env = { HF_HOME: dir, HF_ENDPOINT: 'no URL', HF_TOKEN: 'no token' };
  await resolveGuard(join(GOLDEN, 'qwen3-mlp', 'artifact'), { env });
  await expect(resolveGuard('lab/x', { env })).rejects.toThrow(/HF_ENDPOINT is no http/);
});

test('a given backbone is taken instead of the one named', async () => {
  const file = join(dir, 'x.gguf');
  await writeFile(file, '');
  const backbone = { kind: 'gguf', file };
  expect(await resolveGuard(join(GOLDEN, 'qwen3-mlp/artifact'), { backbone: file })).toMatchObject({
    backbone,
  });
  const starter = await resolveGuard('starter', { backbone: file });
  expect(starter).toMatchObject({ name: 'starter', backbone });
  expect(dirname(starter.artifact.config)).toBe(dirname(starter.artifact.weights));
});

test('each missing file of an artifact is named', async () => {
  await expect(resolveGuard(dir)).rejects.toThrow(`${join(dir, 'siren_config.json')} does not exist`);
  await writeFile(join(dir, 'siren_config.json'), '{}');
  await expect(resolveGuard(dir)).rejects.toThrow(`${join(dir, 'siren.safetensors')} does not exist`);
  await mkdir(join(dir, 'siren.safetensors'));
  await expect(resolveGuard(dir)).rejects.toThrow('siren.safetensors is no regular file');
  await expect(resolveGuard(join(dir, 'gone', 'siren_config.json'))).rejects.toThrow(/gone.*does not exist/);
});

test('a backbone given as a guard is recognized', async () => {
  await expect(resolveGuard(join(GOLDEN, 'qwen3-mlp/backbone'))).rejects.toMatchObject({
    hint: expect.stringContaining('--backbone'),
  });
});

test.each([
  ['{', /siren_config\.json is no valid JSON/],
  ['[]', /base_model\.model_id/],
  ['{"base_model":{"model_id":3}}', /base_model\.model_id/],
])('a config without a model to look for: %s', async (text, message) => {
  await writeFile(join(dir, 'siren_config.json'), text);
  await writeFile(join(dir, 'siren.safetensors'), '');
  await expect(resolveGuard(dir)).rejects.toThrow(message);
});

test('a backbone that is neither on this machine nor a name on the hub is told, with the way to give it', async () => {
  await writeFile(join(dir, 'siren_config.json'), '{"base_model":{"model_id":"/models/gone"}}');
  await writeFile(join(dir, 'siren.safetensors'), '');
  await expect(resolveGuard(dir)).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining("the guard's backbone /models/gone is not on this machine"),
    hint: expect.stringContaining('--backbone <path>'),
  });
});

test('one that may be on the hub is not asked for when that is forbidden', async () => {
  const artifact = join(dir, 'artifact');
  await cp(join(GOLDEN, 'qwen3-mlp/artifact'), artifact, { recursive: true });
  const env = { HF_HOME: dir, HF_HUB_OFFLINE: '1' };
  await expect(resolveGuard(artifact, { env })).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/qwen3-mlp\/backbone@main is needed, HF_HUB_OFFLINE forbids/),
    hint: expect.stringContaining('--backbone <directory>'),
  });
});

test('a named backbone that lacks a piece is not passed over', async () => {
  const artifact = join(dir, 'artifact');
  await cp(join(GOLDEN, 'qwen3-mlp/artifact'), artifact, { recursive: true });
  await mkdir(join(dir, 'qwen3-mlp/backbone'), { recursive: true });
  await expect(resolveGuard(artifact)).rejects.toThrow(/qwen3-mlp\/backbone lacks config\.json/);
});

test.each(['', '  ', 'nothing-like-it', 'a/b/c', './no-such/guard', '../no-such-guard'])(
  'anything else lists what a guard can be: %j',
  async (ref) => {
    await expect(resolveGuard(ref)).rejects.toMatchObject({
      name: 'UserError',
      hint: expect.stringMatching(/starter[\s\S]*<directory>[\s\S]*siren_config\.json/),
    });
  },
);

test('a file of another kind is no guard', async () => {
  const file = join(dir, 'model.gguf');
  await writeFile(file, '');
  await expect(resolveGuard(file)).rejects.toMatchObject({ hint: expect.stringContaining('--backbone') });
});
