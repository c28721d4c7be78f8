import type { TensorType } from '../gguf-tensor.js';
import type { Architecture } from '../tensor-name.js';
import { bool, exact, f32, type GgufSpec, i32s, str, strs, type TensorSpec, u32 } from './write-gguf.js';

export const TINY = { hidden: 32, heads: 2, keyValueHeads: 1, headDim: 16, inner: 64, layers: 2 };

const BLANK = '\u0120';
/** Ids 0 to 2; `<think>` is user defined. */
export const SPECIAL_TOKENS = ['<|begin|>', '<|end|>', '<think>'];
export const MERGES = ['h e', 'l l', 'he ll', 'hell o', `${BLANK} t`, `${BLANK}t he`, '1 2', '12 3', '123 4'];
/** `world` is a token that no merges produce. */
export const TOKENS = [
  ...SPECIAL_TOKENS,
  ...byteAlphabet(),
  ...MERGES.map((merge) => merge.replace(' ', '')),
  'world',
];

/** The tokenizer's part of a file's metadata. */
function tinyTokenizer(pre: string): GgufSpec['metadata'] {
  return [
    ['tokenizer.ggml.model', str('gpt2')],
    ['tokenizer.ggml.pre', str(pre)],
    ['tokenizer.ggml.tokens', strs(TOKENS)],
    ['tokenizer.ggml.token_type', i32s(TOKENS.map((_, id) => [3, 3, 4][id] ?? 1))],
    ['tokenizer.ggml.merges', strs(MERGES)],
    ['tokenizer.ggml.bos_token_id', u32(0)],
    ['tokenizer.ggml.eos_token_id', u32(1)],
    ['tokenizer.ggml.add_bos_token', bool(false)],
  ];
}

/** A model of two layers with a vocabulary of bytes. Matrices are of `type`, norms F32. */
export function tinyModel(architecture: Architecture, type: TensorType): GgufSpec {
  const key = (name: string): string => `${architecture}.${name}`;
  return {
    metadata: [
      ['general.architecture', str(architecture)],
      [key('block_count'), u32(TINY.layers)],
      [key('context_length'), u32(512)],
      [key('embedding_length'), u32(TINY.hidden)],
      [key('feed_forward_length'), u32(TINY.inner)],
      [key('attention.head_count'), u32(TINY.heads)],
      [key('attention.head_count_kv'), u32(TINY.keyValueHeads)],
      [key('attention.key_length'), u32(TINY.headDim)],
      [key('attention.value_length'), u32(TINY.headDim)],
      [key('attention.layer_norm_rms_epsilon'), f32(2 ** -17)],
      [key('rope.freq_base'), f32(10_000)],
      ...tinyTokenizer(architecture === 'qwen3' ? 'qwen2' : 'smollm'),
    ],
    tensors: tinyTensors(architecture, type),
  };
}

function tinyTensors(architecture: Architecture, type: TensorType): TensorSpec[] {
  const { hidden, heads, keyValueHeads, headDim, inner, layers } = TINY;
  const matrix = (name: string, outputs: number, inputs: number): TensorSpec => ({
    name,
    dimensions: [inputs, outputs],
    type,
    values: tinyValues(name, outputs * inputs),
  });
  const norm = (name: string, size: number): TensorSpec => ({
    name,
    dimensions: [size],
    type: 'F32',
    values: tinyValues(name, size),
  });
  const block = (layer: number): TensorSpec[] => [
    norm(`blk.${layer}.attn_norm.weight`, hidden),
    matrix(`blk.${layer}.attn_q.weight`, heads * headDim, hidden),
    matrix(`blk.${layer}.attn_k.weight`, keyValueHeads * headDim, hidden),
    matrix(`blk.${layer}.attn_v.weight`, keyValueHeads * headDim, hidden),
    matrix(`blk.${layer}.attn_output.weight`, hidden, heads * headDim),
    ...(architecture === 'qwen3'
      ? [norm(`blk.${layer}.attn_q_norm.weight`, headDim), norm(`blk.${layer}.attn_k_norm.weight`, headDim)]
      : []),
    norm(`blk.${layer}.ffn_norm.weight`, hidden),
    matrix(`blk.${layer}.ffn_gate.weight`, inner, hidden),
    matrix(`blk.${layer}.ffn_up.weight`, inner, hidden),
    matrix(`blk.${layer}.ffn_down.weight`, hidden, inner),
  ];
  return [
    matrix('token_embd.weight', TOKENS.length, hidden),
    ...Array.from({ length: layers }, (_, layer) => block(layer)).flat(),
    norm('output_norm.weight', hidden),
  ];
}

/** Values exact in every type, in an order that depends on the name. */
function tinyValues(name: string, count: number): number[] {
  let state = [...name].reduce((sum, character) => sum * 31 + (character.codePointAt(0) ?? 0), 7) % 65_537;
  return Array.from({ length: count }, () => {
    state = (state * 75 + 74) % 65_537;
    return exact(state >> 4);
  });
}

/** `spec` with metadata keys replaced, added, or (undefined) removed. */
export function withMetadata(spec: GgufSpec, changes: Record<string, Buffer | undefined>): GgufSpec {
  const kept = spec.metadata.filter(([key]) => !(key in changes));
  const added = Object.entries(changes).filter((pair): pair is [string, Buffer] => pair[1] !== undefined);
  return { ...spec, metadata: [...kept, ...added] };
}

/** The characters of byte-level BPE for the 256 bytes: printable ones as themselves, the others from U+0100. */
function byteAlphabet(): string[] {
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
}
