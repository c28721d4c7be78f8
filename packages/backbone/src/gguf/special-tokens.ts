import { damaged } from './byte-cursor.js';
import type { Metadata } from './metadata.js';

/** Names in tokenizer_config.json, and where GGUF keeps the id. */
const NAMED = {
  bos_token: 'tokenizer.ggml.bos_token_id',
  eos_token: 'tokenizer.ggml.eos_token_id',
  unk_token: 'tokenizer.ggml.unknown_token_id',
  pad_token: 'tokenizer.ggml.padding_token_id',
} as const;

/** The file's tokenizer_config.json: the special tokens by name and the chat template, where present. */
export function tokenizerConfig(metadata: Metadata): Record<string, unknown> {
  const tokens = metadata.get('tokenizer.ggml.tokens', 'strings');
  const config: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(NAMED)) {
    if (metadata.entries.has(key)) config[name] = specialToken(metadata, tokens, key).content;
  }
  const template = metadata.find('tokenizer.chat_template', 'string');
  if (template !== undefined) config.chat_template = template;
  return config;
}

/**
 * The post-processor of tokenizer.json that adds the beginning and end tokens; null for none.
 * @param addsBos the default of `add_bos_token`
 */
export function postProcessor(
  metadata: Metadata,
  tokens: readonly string[],
  addsBos: boolean,
): object | null {
  const before = metadata.find('tokenizer.ggml.add_bos_token', 'boolean') ?? addsBos;
  const after = metadata.find('tokenizer.ggml.add_eos_token', 'boolean') ?? false;
  if (!before && !after) return null;
  const bos = before ? [specialToken(metadata, tokens, NAMED.bos_token)] : [];
  const eos = after ? [specialToken(metadata, tokens, NAMED.eos_token)] : [];

  const special = ({ content }: SpecialToken, type: number): object => ({
    SpecialToken: { id: content, type_id: type },
  });
  const around = (sequence: 'A' | 'B', type: number): object[] => [
    ...bos.map((token) => special(token, type)),
    { Sequence: { id: sequence, type_id: type } },
    ...eos.map((token) => special(token, type)),
  ];
  return {
    type: 'TemplateProcessing',
    single: around('A', 0),
    pair: [...around('A', 0), ...around('B', 1)],
    special_tokens: Object.fromEntries(
      [...bos, ...eos].map(({ id, content }) => [content, { id: content, ids: [id], tokens: [content] }]),
    ),
  };
}

interface SpecialToken {
  id: number;
  content: string;
}

function specialToken(metadata: Metadata, tokens: readonly string[], key: string): SpecialToken {
  const id = metadata.get(key, 'integer');
  const content = tokens[id];
  if (content === undefined) {
    throw damaged(
      metadata.path,
      `metadata key "${key}" is ${id}; the vocabulary has ids 0 to ${tokens.length - 1}`,
    );
  }
  return { id, content };
}
