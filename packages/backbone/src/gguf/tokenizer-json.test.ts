import { Tokenizer } from 'tokenizers';
import { expect, test } from 'vitest';
import { openGguf } from './open-gguf.js';
import { MERGES, TOKENS, tinyModel, withMetadata } from './testing/tiny-model.js';
import { bool, i32s, str, strs, tempFiles, u32, writeGguf } from './testing/write-gguf.js';

const write = tempFiles();
const tiny = tinyModel('llama', 'F32');
type Changes = Parameters<typeof withMetadata>[1];

const open = async (changes: Changes) => openGguf(await write(writeGguf(withMetadata(tiny, changes))));

/** The file's tokens for a text, as written in the vocabulary. */
async function tokensOf(changes: Changes, text: string): Promise<string[]> {
  const { tokenizerJson } = await open(changes);
  const ids = (await Tokenizer.fromString(JSON.stringify(tokenizerJson)).encode(text)).getIds();
  return ids.map((id) => TOKENS[id] ?? `no token ${id}`);
}
const pre = (name: string): Changes => ({ 'tokenizer.ggml.pre': str(name) });

test('tokenizerJson.merges within words, as GPT-2 cuts them', async () => {
  expect(await tokensOf(pre('gpt-2'), 'hello the hell')).toEqual(['hello', 'Ġthe', 'Ġ', 'hell']);
});

test.each<[string, string[]]>([
  ['smollm', ['1', '2', '3', '4']],
  ['qwen2', ['1', '2', '3', '4']],
  ['gpt-2', ['1234']],
  ['default', ['1234']],
  ['llama-bpe', ['123', '4']],
])('tokenizerJson.%s cuts numbers its own way', async (name, expected) => {
  expect(await tokensOf(pre(name), '1234')).toEqual(expected);
});

test('tokenizerJson.smollm keeps the blank before a digit apart from it', async () => {
  expect(await tokensOf(pre('smollm'), 'x 12')).toEqual(['x', 'Ġ', '1', '2']);
  expect(await tokensOf(pre('gpt-2'), 'x 12')).toEqual(['x', 'Ġ', '12']);
});

test('tokenizerJson.qwen2 composes characters first', async () => {
  const composed = await tokensOf(pre('qwen2'), '\u00e9');
  expect(await tokensOf(pre('qwen2'), 'e\u0301')).toEqual(composed);
  expect(await tokensOf(pre('gpt-2'), 'e\u0301')).not.toEqual(composed);
});

test('tokenizerJson.llama-bpe takes a word that is a token whole', async () => {
  expect(await tokensOf(pre('llama-bpe'), 'world')).toEqual(['world']);
  expect(await tokensOf(pre('gpt-2'), 'world')).toEqual(['w', 'o', 'r', 'l', 'd']);
});

test('tokenizerJson.control and user-defined tokens are found in the text', async () => {
  expect(await tokensOf({}, 'he<|end|><think>he')).toEqual(['he', '<|end|>', '<think>', 'he']);
  const { tokenizerJson } = await open({});
  expect(tokenizerJson.added_tokens).toMatchObject([
    { id: 0, content: '<|begin|>', special: true },
    { id: 1, content: '<|end|>', special: true },
    { id: 2, content: '<think>', special: false },
  ]);
});

test('tokenizerJson.begin and end tokens as the file says, else as its kind of vocabulary means', async () => {
  const added = async (changes: Changes): Promise<string[]> => tokensOf(changes, 'he');
  expect(await added({ 'tokenizer.ggml.add_bos_token': bool(true) })).toEqual(['<|begin|>', 'he']);
  expect(await added({ 'tokenizer.ggml.add_eos_token': bool(true) })).toEqual(['he', '<|end|>']);
  expect(await added({ 'tokenizer.ggml.add_bos_token': undefined })).toEqual(['he']);
  const llama3 = { ...pre('llama-bpe'), 'tokenizer.ggml.add_bos_token': undefined };
  expect(await added(llama3)).toEqual(['<|begin|>', 'he']);
  expect(await added({ ...llama3, 'tokenizer.ggml.add_bos_token': bool(false) })).toEqual(['he']);
});

test('tokenizerJson.a token called __proto__ is a token', async () => {
  const { tokenizerJson } = await open({ 'tokenizer.ggml.tokens': strs(TOKENS.with(-1, '__proto__')) });
  const id = TOKENS.length - 1;
  const tokenizer = Tokenizer.fromString(JSON.stringify(tokenizerJson));
  expect(tokenizer.tokenToId('__proto__')).toBe(id);
  expect(tokenizer.getVocabSize()).toBe(TOKENS.length);
});

test('tokenizerConfig.special tokens by name, and the chat template', async () => {
  const { tokenizerConfig } = await open({
    'tokenizer.ggml.padding_token_id': u32(1),
    'tokenizer.chat_template': str('{{ messages }}'),
  });
  expect(tokenizerConfig).toEqual({
    bos_token: '<|begin|>',
    eos_token: '<|end|>',
    pad_token: '<|end|>',
    chat_template: '{{ messages }}',
  });
});

test.each<[string, Changes, string]>([
  [
    'another model',
    { 'tokenizer.ggml.model': str('llama') },
    '"tokenizer.ggml.model" is "llama"; supported is "gpt2"',
  ],
  [
    'another pre-tokenizer',
    pre('tekken'),
    '"tokenizer.ggml.pre" is "tekken"; supported are smollm, gpt-2, default, llama-bpe, qwen2',
  ],
  ['no pre-tokenizer', { 'tokenizer.ggml.pre': undefined }, '"tokenizer.ggml.pre" is missing'],
  ['a prefix space', { 'tokenizer.ggml.add_space_prefix': bool(true) }, 'is true; supported is false'],
  ['no merges', { 'tokenizer.ggml.merges': undefined }, '"tokenizer.ggml.merges" is missing'],
  [
    'a merge of no token',
    { 'tokenizer.ggml.merges': strs([...MERGES, 'h x']) },
    `entry ${MERGES.length} is "h x"; expected two tokens that make a third`,
  ],
  ['a merge of three', { 'tokenizer.ggml.merges': strs(['h e l']) }, 'entry 0 is "h e l"'],
  ['a merge of one', { 'tokenizer.ggml.merges': strs(['he']) }, 'entry 0 is "he"'],
  [
    'a token twice',
    { 'tokenizer.ggml.tokens': strs(TOKENS.with(-1, 'he')) },
    `has "he" twice, at ${TOKENS.indexOf('he')} and ${TOKENS.length - 1}`,
  ],
  [
    'types for some tokens',
    { 'tokenizer.ggml.token_type': i32s([1]) },
    `has 1 entries; "tokenizer.ggml.tokens" has`,
  ],
  [
    'a begin token out of range',
    { 'tokenizer.ggml.bos_token_id': u32(9999) },
    'is 9999; the vocabulary has ids 0 to',
  ],
  [
    'no begin token to add',
    { 'tokenizer.ggml.bos_token_id': undefined, 'tokenizer.ggml.add_bos_token': bool(true) },
    '"tokenizer.ggml.bos_token_id" is missing',
  ],
])('tokenizerJson.refuses %s', async (_, changes, message) => {
  await expect(open(changes)).rejects.toThrow(message);
});
