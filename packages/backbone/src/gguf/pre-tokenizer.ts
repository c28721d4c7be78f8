/** How a byte-level vocabulary's text is cut before merging: parts of a tokenizer.json. */
export interface PreTokenizer {
  normalizer: object | null;
  preTokenizer: object;
  /** A word that is a token is taken whole, whatever the merges would make of it. */
  ignoreMerges: boolean;
  /** What a file without `tokenizer.ggml.add_bos_token` means. */
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

/** Contractions; a word with the sign before it; numbers; signs; line ends; blanks. Models differ in how long a number is. */
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

/** Meta's vocabulary was made for tiktoken, which looks a word up before it merges; so do llama.cpp and Meta's tokenizer.json. */
const LLAMA3: PreTokenizer = {
  normalizer: null,
  preTokenizer: splitBy(wordsAnd(String.raw`\p{N}{1,3}`)),
  ignoreMerges: true,
  addsBos: true,
};

/** By the value of `tokenizer.ggml.pre`. */
export const PRE_TOKENIZERS: ReadonlyMap<string, PreTokenizer> = new Map([
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
