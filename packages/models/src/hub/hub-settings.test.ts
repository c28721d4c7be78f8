import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hubCacheDirectory, hubSettings } from './hub-settings.js';

let home = '';
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tocsin-hub-settings-'));
  await mkdir(join(home, 'hf'));
  await writeFile(join(home, 'hf', 'token'), 'hf_of_the_file\n');
});
afterAll(() => rm(home, { recursive: true }));

test.each([
  [{}, ['.cache', 'huggingface', 'hub']],
  [{ XDG_CACHE_HOME: '~/x' }, ['x', 'huggingface', 'hub']],
  [{ XDG_CACHE_HOME: '~/x', HF_HOME: '~/h' }, ['h', 'hub']],
  [{ HF_HOME: '~/h', HUGGINGFACE_HUB_CACHE: '~/old' }, ['old']],
  [{ HUGGINGFACE_HUB_CACHE: '~/old', HF_HUB_CACHE: '~/new' }, ['new']],
  [{ HF_HOME: '', HF_HUB_CACHE: '' }, ['.cache', 'huggingface', 'hub']],
])('the cache is where Python has it: %j', (env, path) => {
  expect(hubCacheDirectory({ HOME: home, ...env })).toBe(join(home, ...path));
});

test('the token: HF_TOKEN, its old name, the file', async () => {
  const env = { HOME: home, HF_HOME: join(home, 'hf') };
  const file = join(home, 'hf', 'token');
  expect((await hubSettings(env)).token).toEqual({ value: 'hf_of_the_file', from: file });
  const old = { ...env, HUGGING_FACE_HUB_TOKEN: ' hf_old ' };
  expect((await hubSettings(old)).token).toEqual({ value: 'hf_old', from: 'HUGGING_FACE_HUB_TOKEN' });
  expect((await hubSettings({ ...old, HF_TOKEN: 'hf_new' })).token?.value).toBe('hf_new');
  expect((await hubSettings({ HOME: home, HF_TOKEN_PATH: '~/hf/token' })).token?.from).toBe(file);
  expect((await hubSettings({ HOME: home })).token).toBeUndefined();
});

test('a token that can be none is told without its value', async () => {
  const failing = hubSettings({ HOME: home, HF_TOKEN: 'hf_sec ret' });
  await expect(failing).rejects.toMatchObject({ name: 'UserError', message: /the token in HF_TOKEN/ });
  await expect(failing).rejects.not.toThrow(/ret'/);
  await expect(hubSettings({ HOME: home, HF_TOKEN_PATH: home })).rejects.toThrow(
    /cannot read the hub's token/,
  );
});

test('the endpoint, and what forbids the network', async () => {
  expect(await hubSettings({ HOME: home })).toMatchObject({
    endpoint: 'https://huggingface.co',
    offline: undefined,
  });
  const env = { HOME: home, HF_ENDPOINT: 'http://mirror.example/', HF_HUB_OFFLINE: '1' };
  expect(await hubSettings(env)).toMatchObject({
    endpoint: 'http://mirror.example',
    offline: 'HF_HUB_OFFLINE',
  });
  expect((await hubSettings({ HOME: home, TRANSFORMERS_OFFLINE: 'yes' })).offline).toBe(
    'TRANSFORMERS_OFFLINE',
  );
  expect((await hubSettings({ HOME: home, HF_HUB_OFFLINE: '0' })).offline).toBeUndefined();
  await expect(hubSettings({ HOME: home, HF_ENDPOINT: 'mirror' })).rejects.toThrow(/HF_ENDPOINT is no http/);
});
