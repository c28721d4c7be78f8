import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { beforeEach, expect, test } from 'vitest';
import { type OpenGuard, openGuard } from '../compiled/open-guard.js';
import { readChatFormat } from './chat-format-source.js';
import { Preparation } from './preparation.js';

const temp = tempDir();
const cacheDir = join(temp, 'cache');
const MESSAGES = { messages: [{ role: 'user', content: 'x' }] };
const { artifact } = goldenDirs('qwen3-agent');
let backbone = '';

beforeEach(async () => {
  backbone = await mkdtemp(join(temp, 'backbone-'));
  await cp(goldenDirs('qwen3-agent').backbone, backbone, { recursive: true });
});

const config = (): string => join(backbone, 'tokenizer_config.json');
const template = (): string => join(backbone, 'chat_template.jinja');
const open = (from = artifact): Promise<OpenGuard> => openGuard(from, { backbone, cacheDir });
const rendered = async (guard: OpenGuard): Promise<string> =>
  (await Preparation.open(guard)).textOf(MESSAGES);

test('the template of the configuration, its special tokens, and a template file that wins', async () => {
  const source = { kind: 'safetensors' as const, dir: backbone };
  const ofConfig = await readChatFormat(source);
  expect(ofConfig.template).toMatch(/^{%- for m in messages %}/);
  expect(ofConfig.specialTokens).toEqual({ eos_token: '<|im_end|>', pad_token: '<|endoftext|>' });
  await writeFile(template(), 'T{{ eos_token }}');
  expect(await readChatFormat(source)).toEqual({ ...ofConfig, template: 'T{{ eos_token }}' });
  await rm(config());
  expect(await readChatFormat(source)).toEqual({ template: 'T{{ eos_token }}', specialTokens: {} });
});

test('a template that changes is another guard, and the compiled one keeps its own', async () => {
  const first = await open();
  await writeFile(template(), '{{ messages[0].content }}{{ eos_token }}');
  const second = await open();
  expect(second.fingerprint).not.toBe(first.fingerprint);
  expect([await rendered(first), await rendered(second)]).toEqual([
    '<|im_start|>user\nx<|im_end|>',
    'x<|im_end|>',
  ]);
  const tokens = { ...(JSON.parse(await readFile(config(), 'utf8')) as object), eos_token: '<end>' };
  await writeFile(config(), JSON.stringify(tokens));
  expect((await open()).fingerprint).not.toBe(second.fingerprint);
});

test("a content guard's fingerprint has nothing to do with it", async () => {
  const { artifact: content, backbone: other } = goldenDirs('qwen3-residual');
  await cp(other, backbone, { recursive: true });
  const { fingerprint } = await open(content);
  await writeFile(template(), 'T');
  await writeFile(config(), '{}');
  expect((await open(content)).fingerprint).toBe(fingerprint);
});

test.each<[string, () => Promise<unknown>, string]>([
  ['no template', () => writeFile(config(), '{}'), 'tokenizer_config.json has no chat_template'],
  ['neither file', () => rm(config()), 'tokenizer_config.json has no chat_template'],
  [
    'a configuration that is no JSON',
    () => writeFile(config(), '{'),
    'tokenizer_config.json is no valid JSON',
  ],
  [
    'a template that is no Jinja',
    () => writeFile(template(), '{% if %}'),
    'chat_template.jinja: the chat template cannot',
  ],
])('%s: the guard cannot be opened', async (_what, change, message) => {
  await change();
  const opening = open();
  await expect(opening).rejects.toBeInstanceOf(UserError);
  await expect(opening).rejects.toThrow(message);
});
