import { damaged, quote, unsupported } from './byte-cursor.js';
import type { Metadata } from './metadata.js';
import { postProcessor } from './special-tokens.js';

/** `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. */
const CONTROL = 3;
const USER_DEFINED = 4;

/**
 * The file's tokenizer as a tokenizer.json, for the tokenizers library's `Tokenizer.fromString(JSON.stringify(json))`.
 * @throws UserError for an unsupported kind of tokenizer or an inconsistent vocabulary
 */
export function tokenizerJson(metadata: Metadata): Record<string, unknown> {
  const pre = preTokenizerOf(metadata);
  const tokens = metadata.get('tokenizer.ggml.tokens', 'strings');
  const ids = idsOf(metadata.path, tokens);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: addedTokens(metadata, tokens),
    normalizer: pre.normalizer,
    pre_tokenizer: pre.preTokenizer,
    post_processor: postProcessor(metadata, tokens, pre.addsBos),
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: pre.ignoreMerges,
      // fromEntries() also keeps a token named __proto__.
      vocab: Object.fromEntries(ids),
      merges: mergesOf(metadata, ids),
    },
  };
}

function preTokenizerOf(metadata: Metadata): PreTokenizer {
  const model = metadata.get('tokenizer.ggml.model', 'string');
  if (model !== 'gpt2') {
    throw unsupported(
      metadata.path,
      `metadata key "tokenizer.ggml.model" is ${quote(model)}; supported is "gpt2" (byte-level BPE)`,
    );
  }
  const name = metadata.get('tokenizer.ggml.pre', 'string');
  const pre = PRE_TOKENIZERS.get(name);
  if (pre === undefined) {
    const supported = [...PRE_TOKENIZERS.keys()].join(', ');
    throw unsupported(
      metadata.path,
      `metadata key "tokenizer.ggml.pre" is ${quote(name)}; supported are ${supported}`,
    );
  }
  if (metadata.find('tokenizer.ggml.add_space_prefix', 'boolean') === true) {
    throw unsupported(
      metadata.path,
      'metadata key "tokenizer.ggml.add_space_prefix" is true; supported is false',
    );
  }
  return pre;
}

function idsOf(path: string, tokens: readonly string[]): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [id, token] of tokens.entries()) {
    const first = ids.get(token);
    if (first !== undefined) {
      throw damaged(
        path,
        `metadata key "tokenizer.ggml.tokens" has ${quote(token)} twice, at ${first} and ${id}`,
      );
    }
    ids.set(token, id);
  }
  return ids;
}

/** Tokens matched literally before the text is split. Control tokens are special. */
function addedTokens(metadata: Metadata, tokens: readonly string[]): object[] {
  const types = metadata.get('tokenizer.ggml.token_type', 'integers');
  if (types.length !== tokens.length) {
    throw damaged(
      metadata.path,
      `metadata key "tokenizer.ggml.token_type" has ${types.length} entries; "tokenizer.ggml.tokens" has ${tokens.length}`,
    );
  }
  const added: object[] = [];
  for (const [id, content] of tokens.entries()) {
    const type = types[id];
    if (type !== CONTROL && type !== USER_DEFINED) continue;
    added.push({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: type === CONTROL,
    });
  }
  return added;
}

/** `"left right"` as a pair. Checks that both halves and the whole are tokens: the library's error would not say which. */
function mergesOf(metadata: Metadata, ids: ReadonlyMap<string, number>): [string, string][] {
  const merges = metadata.get('tokenizer.ggml.merges', 'strings');
  return merges.map((merge, i) => {
    const space = merge.indexOf(' ');
    const left = merge.slice(0, space);
    const right = merge.slice(space + 1);
    if (space < 0 || right.includes(' ') || !ids.has(left) || !ids.has(right) || !ids.has(left + right)) {
      throw damaged(
        metadata.path,
        `metadata key "tokenizer.ggml.merges" entry ${i} is ${quote(merge)}; expected two tokens that make a third`,
      );
    }
    return [left, right];
  });
}

/** How text is split before byte-level merging, as parts of a tokenizer.json. */
interface PreTokenizer {
  normalizer: object | null;
  preTokenizer: object;
  /** A word that is itself a token is not merged. */
  ignoreMerges: boolean;
  /** The default of `tokenizer.ggml.add_bos_token`. */
  addsBos: boolean;
}

const byteLevel = (splitsLikeGpt2: boolean): object => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: splitsLikeGpt2,
});

const splitBy = (regex: string): object => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ],
});

/** Contractions, words with a leading sign, numbers, signs, line ends, blanks. Models differ in the length of numbers. */
const wordsAnd = (number: string): string =>
  [
    "(?i:'s|'t|'re|'ve|'m|'ll|'d)",
    String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`,
    number,
    String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*`,
    String.raw`\s*[\r\n]+`,
    String.raw`\s+(?!\S)`,
    String.raw`\s+`,
  ].join('|');

const GPT2: PreTokenizer = {
  normalizer: null,
  preTokenizer: byteLevel(true),
  ignoreMerges: false,
  addsBos: false,
};

/** Meta's vocabulary is for tiktoken, which looks up a word before merging, as llama.cpp and Meta's tokenizer.json do. */
const LLAMA3: PreTokenizer = {
  normalizer: null,
  preTokenizer: splitBy(wordsAnd(String.raw`\p{N}{1,3}`)),
  ignoreMerges: true,
  addsBos: true,
};

/** By the value of `tokenizer.ggml.pre`. */
const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
  [
    'smollm',
    {
      ...GPT2,
      preTokenizer: {
        type: 'Sequence',
        pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
      },
    },
  ],
  ['gpt-2', GPT2],
  ['default', GPT2],
  ['llama-bpe', LLAMA3],
  [
    'qwen2',
    {
      normalizer: { type: 'NFC' },
      preTokenizer: splitBy(wordsAnd(String.raw`\p{N}`)),
      ignoreMerges: false,
      addsBos: false,
    },
  ],
]);
