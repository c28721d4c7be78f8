import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveBackbone } from './resolve-backbone.js';

let dir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-backbone-'));
});

afterEach(() => rm(dir, { recursive: true }));

async function directoryWith(...names: string[]): Promise<string> {
  await Promise.all(names.map((name) => writeFile(join(dir, name), '')));
  return dir;
}

test.each([
  ['one file', ['config.json', 'tokenizer.json', 'model.safetensors']],
  ['shards', ['config.json', 'tokenizer.json', 'model.safetensors.index.json']],
  ['a GGUF beside them', ['config.json', 'tokenizer.json', 'model.safetensors', 'x.gguf']],
])('safetensors weights make a safetensors backbone: %s', async (_name, names) => {
  expect(await resolveBackbone(await directoryWith(...names))).toEqual({ kind: 'safetensors', dir });
});

test('a .gguf file is a backbone, and so is a directory that holds exactly one', async () => {
  const file = join(await directoryWith('a.Q8_0.GGUF', 'config.json'), 'a.Q8_0.GGUF');
  expect(await resolveBackbone(dir)).toEqual({ kind: 'gguf', file });
  expect(await resolveBackbone(file)).toEqual({ kind: 'gguf', file });
});

test('several .gguf files are a question', async () => {
  await expect(resolveBackbone(await directoryWith('b.gguf', 'a.gguf'))).rejects.toMatchObject({
    message: expect.stringContaining('2 .gguf files: a.gguf, b.gguf'),
    hint: 'Give the path of the one to use.',
  });
});

test.each([
  [[], 'lacks config.json, tokenizer.json, model.safetensors (or model.safetensors.index.json)'],
  [['model.safetensors', 'config.json'], 'lacks tokenizer.json'],
  [['model.safetensors.index.json', 'tokenizer.json'], 'lacks config.json'],
  [['config.json', 'tokenizer.json'], 'lacks model.safetensors (or model.safetensors.index.json)'],
])('missing pieces are named: with %j it %s', async (names, message) => {
  const failing = resolveBackbone(await directoryWith(...names));
  await expect(failing).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining(message),
  });
});

test('pickled weights are refused with the reason', async () => {
  const path = await directoryWith('config.json', 'tokenizer.json', 'pytorch_model-00001-of-00002.bin');
  await expect(resolveBackbone(path)).rejects.toMatchObject({ hint: expect.stringContaining('pickle') });
});

test('nothing there, and a file of another kind', async () => {
  await expect(resolveBackbone(join(dir, 'none'))).rejects.toThrow(/none does not exist/);
  await directoryWith('weights.bin');
  await expect(resolveBackbone(join(dir, 'weights.bin'))).rejects.toThrow(
    /neither a directory nor a \.gguf file/,
  );
  await expect(resolveBackbone(join(dir, 'weights.bin', 'below'))).rejects.toThrow(/does not exist/);
});
