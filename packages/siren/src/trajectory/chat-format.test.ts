import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { chatFormatOf } from './chat-format.js';

const FILE = 'dir/tokenizer_config.json';

test('a template, and the special tokens that are strings, objects or null', () => {
  const added = { __type: 'AddedToken', content: '<eos>', lstrip: false };
  const config = {
    chat_template: 'T',
    bos_token: '<bos>',
    eos_token: added,
    pad_token: null,
    model_max_length: 5,
  };
  expect(chatFormatOf(FILE, config)).toEqual({
    template: 'T',
    specialTokens: { bos_token: '<bos>', eos_token: '<eos>' },
  });
});

test('of several templates the default one; a file of its own wins', () => {
  const config = {
    chat_template: [
      { name: 'tool_use', template: 'A' },
      { name: 'default', template: 'B' },
    ],
  };
  expect(chatFormatOf(FILE, config).template).toBe('B');
  expect(chatFormatOf(FILE, config, 'C').template).toBe('C');
  expect(chatFormatOf(FILE, {}, 'C').template).toBe('C');
});

test.each<[string, unknown, string]>([
  ['no template', {}, `${FILE} has no chat_template, and there is no chat_template.jinja beside it`],
  ['no default', { chat_template: [{ name: 'rag', template: 'A' }] }, 'with one named "default"'],
  ['a template of another kind', { chat_template: 5 }, `${FILE}: chat_template must be a string`],
  ['a token of another kind', { chat_template: 'T', eos_token: 5 }, `${FILE}: eos_token must be a string`],
  ['no object', [], `${FILE} must hold a JSON object`],
])('%s is told', (_what, config, message) => {
  expect(() => chatFormatOf(FILE, config)).toThrow(UserError);
  expect(() => chatFormatOf(FILE, config)).toThrow(message);
});
