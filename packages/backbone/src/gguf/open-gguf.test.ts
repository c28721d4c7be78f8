import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isUserError, UserError } from '@tocsin/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BLOCKS, readGgufTensor, type TensorType } from './gguf-tensor.js';
import { openGguf } from './open-gguf.js';
import { SPECIAL_TOKENS, TINY, TOKENS, tinyModel, withMetadata } from './testing/tiny-model.js';
import {
  encodedLength,
  type GgufSpec,
  interleave,
  str,
  strs,
  type TensorSpec,
  tempFiles,
  u32,
  writeGguf,
} from './testing/write-gguf.js';

const write = tempFiles();
const TYPES = Object.keys(BLOCKS) as TensorType[];
const CASES = (['llama', 'qwen3'] as const).flatMap((family) => TYPES.map((type) => [family, type] as const));

const open = async (spec: GgufSpec) => openGguf(await write(writeGguf(spec)));
/** `spec` with changed fields in a tensor's entry. */
const withTensor = (spec: GgufSpec, name: string, change: Partial<TensorSpec>): GgufSpec => ({
  ...spec,
  tensors: spec.tensors.map((tensor) => (tensor.name === name ? { ...tensor, ...change } : tensor)),
});
const added = (spec: GgufSpec, name: string, stated: TensorSpec['stated'] = {}): GgufSpec => ({
  ...spec,
  tensors: [...spec.tensors, { name, dimensions: [32], type: 'F32', values: new Float32Array(32), stated }],
});

test.each(CASES)(
  'openGguf.a %s model of %s: every tensor, by its Hugging Face name',
  async (family, type) => {
    const spec = tinyModel(family, type);
    const file = await open(spec);
    expect(file.tensors.size).toBe(spec.tensors.length);
    for (const tensor of file.tensors.values()) {
      const source = spec.tensors.find(({ name }) => name === tensor.ggufName);
      if (source === undefined) throw new Error(`${tensor.ggufName} was not written`);
      expect(tensor.dtype).toBe(source.type);
      expect(tensor.shape).toEqual(source.dimensions.toReversed());
      expect(tensor.byteLength).toBe(encodedLength(source.type, source.values.length));
      if (tensor.interleavedHeads === undefined) {
        expect([...(await readGgufTensor(tensor))]).toEqual(source.values);
      }
    }
  },
);

test.each(TYPES)('openGguf.q and k of Llama, %s, are given in the order of Hugging Face', async (type) => {
  const hf = tinyModel('llama', type);
  const heads = (name: string): number | undefined =>
    name.includes('attn_q.') ? TINY.heads : name.includes('attn_k.') ? TINY.keyValueHeads : undefined;
  const converted = hf.tensors.map((tensor) => {
    const interleaved = heads(tensor.name);
    const values = Float32Array.from(tensor.values);
    const rows = tensor.dimensions[1] ?? 0;
    return interleaved === undefined ? tensor : { ...tensor, values: interleave(values, rows, interleaved) };
  });
  const file = await open({ ...hf, tensors: converted });
  for (const tensor of file.tensors.values()) {
    const source = hf.tensors.find(({ name }) => name === tensor.ggufName);
    expect([...(await readGgufTensor(tensor))]).toEqual(source?.values);
  }
});

test('openGguf.a bias of q is put in order with its rows', async () => {
  const bias = Float32Array.from({ length: TINY.heads * TINY.headDim }, (_, i) => i);
  const spec = tinyModel('llama', 'F32');
  const values = interleave(bias, bias.length, TINY.heads);
  const file = await open({
    ...spec,
    tensors: [...spec.tensors, { name: 'blk.1.attn_q.bias', dimensions: [bias.length], type: 'F32', values }],
  });
  const tensor = file.tensors.get('model.layers.1.self_attn.q_proj.bias');
  if (tensor === undefined) throw new Error('the bias is missing');
  expect(await readGgufTensor(tensor)).toEqual(bias);
});

test('openGguf.a file cut short at any byte is a UserError', async () => {
  const bytes = writeGguf(tinyModel('llama', 'Q4_1'));
  const path = await write(bytes);
  const { tensors } = await openGguf(path);
  const dataStart = Math.min(...[...tensors.values()].map(({ offset }) => offset));
  // Most of the file is data, but most errors are in the header.
  const lengths = fc.oneof(fc.nat(dataStart), fc.nat(bytes.length - 1));
  await fc.assert(
    fc.asyncProperty(lengths, async (length) => {
      await writeFile(path, bytes.subarray(0, length));
      await expect(openGguf(path)).rejects.toThrow(UserError);
    }),
    { numRuns: 500 },
  );
});

test('openGguf.a header with bytes overwritten is read or is a UserError', async () => {
  const bytes = writeGguf(tinyModel('qwen3', 'Q8_0'));
  const path = await write(bytes);
  const { tensors } = await openGguf(path);
  const dataStart = Math.min(...[...tensors.values()].map(({ offset }) => offset));
  const damage = fc.array(fc.tuple(fc.nat(dataStart), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(damage, async (changes) => {
      const copy = Buffer.from(bytes);
      for (const [at, value] of changes) copy[at] = value;
      await writeFile(path, copy);
      const outcome: unknown = await openGguf(path).catch((error: unknown) => error);
      if (outcome instanceof Error && !isUserError(outcome)) throw outcome;
    }),
    { numRuns: 500 },
  );
});

const tiny = tinyModel('llama', 'Q8_0');
const EMBEDDING = 'token_embd.weight';

test.each<[string, GgufSpec, string]>([
  [
    'another architecture',
    withMetadata(tiny, { 'general.architecture': str('gemma3') }),
    '"general.architecture" is "gemma3"; supported are llama, qwen3',
  ],
  ['an adapter', withMetadata(tiny, { 'general.type': str('adapter') }), '"general.type" is "adapter"'],
  ['a part of a model', withMetadata(tiny, { 'split.count': u32(3) }), 'the file is one of 3 parts'],
  [
    'a type that cannot be read',
    withTensor(tiny, EMBEDDING, { stated: { typeId: 12 } }),
    'tensor "token_embd.weight" is of type Q4_K; supported are F32, F16, BF16, Q8_0, Q4_1',
  ],
  ['an unknown type', withTensor(tiny, EMBEDDING, { stated: { typeId: 99 } }), 'is of type number 99'],
  [
    'a row of less than a block',
    withTensor(tiny, EMBEDDING, { dimensions: [16, TOKENS.length * 2] }),
    'tensor "token_embd.weight" has rows of 16 elements; Q8_0 needs a multiple of 32',
  ],
  [
    'an offset that is not aligned',
    withTensor(tiny, EMBEDDING, { stated: { offset: 8 } }),
    'tensor "token_embd.weight" is at offset 8; expected a multiple of the alignment 32',
  ],
  [
    'an offset beyond the file',
    withTensor(tiny, EMBEDDING, { stated: { offset: 2 ** 40 } }),
    'the file ends at',
  ],
  [
    'a tensor that reaches beyond the file',
    withTensor(tiny, EMBEDDING, { dimensions: [32, 2 ** 30] }),
    'tensor "token_embd.weight" needs bytes ',
  ],
  [
    'an unread tensor beyond the file',
    added(tiny, 'output.weight', { typeId: 14, offset: 2 ** 40 }),
    'the file ends at',
  ],
  [
    'experts',
    added(tiny, 'blk.0.ffn_gate_exps.weight'),
    'tensor "blk.0.ffn_gate_exps.weight" is no part of a llama model of 2 layers',
  ],
  [
    'q of other heads',
    withMetadata(tiny, { 'llama.attention.head_count': u32(4) }),
    'tensor "blk.0.attn_q.weight" has 32 rows; 4 heads of 16 make 64',
  ],
  [
    'no embedding',
    { ...tiny, tensors: tiny.tensors.filter(({ name }) => name !== EMBEDDING) },
    'tensor "token_embd.weight" is missing',
  ],
  [
    'another number of tokens',
    withMetadata(tiny, { 'tokenizer.ggml.tokens': strs(SPECIAL_TOKENS) }),
    `has ${TOKENS.length} rows; metadata key "tokenizer.ggml.tokens" has 3 tokens`,
  ],
])('openGguf.refuses %s', async (_, spec, message) => {
  const path = await write(writeGguf(spec));
  const error: unknown = await openGguf(path).catch((reason: unknown) => reason);
  if (!isUserError(error)) throw new Error('expected a UserError', { cause: error });
  expect(error.message).toContain(message);
  expect(error.message.startsWith(`${path}: `)).toBe(true);
});

test('openGguf.an output matrix of any type is left out', async () => {
  const file = await open(added(tiny, 'output.weight', { typeId: 14 }));
  expect(file.config.tie_word_embeddings).toBe(false);
  expect([...file.tensors.keys()].some((name) => name.includes('head'))).toBe(false);
});

test('openGguf.a missing file and a directory', async () => {
  await expect(openGguf(join(tmpdir(), 'tocsin-no-such.gguf'))).rejects.toThrow(
    /no-such.gguf cannot be opened: ENOENT/,
  );
  await expect(openGguf(tmpdir())).rejects.toThrow(/is no file; expected a GGUF file/);
});
