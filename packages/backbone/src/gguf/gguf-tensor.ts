import { open } from 'node:fs/promises';
import { halfToNumber } from '@tocsin/siren';
import type { CheckpointTensor } from '../checkpoint/checkpoint.js';
import { damaged } from './byte-cursor.js';

/** How a type lays out its elements: `elements` of them in each block of `bytes`. */
interface Block {
  elements: number;
  bytes: number;
}

/** The types that can be read as float32. */
export const BLOCKS = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_1: { elements: 32, bytes: 20 },
} as const satisfies Record<string, Block>;
export type TensorType = keyof typeof BLOCKS;

/** Names by ggml's numbers (enum ggml_type), for messages. Missing numbers are retired. */
const NAMES: Record<number, string> = {
  0: 'F32',
  1: 'F16',
  2: 'Q4_0',
  3: 'Q4_1',
  6: 'Q5_0',
  7: 'Q5_1',
  8: 'Q8_0',
  9: 'Q8_1',
  10: 'Q2_K',
  11: 'Q3_K',
  12: 'Q4_K',
  13: 'Q5_K',
  14: 'Q6_K',
  15: 'Q8_K',
  16: 'IQ2_XXS',
  17: 'IQ2_XS',
  18: 'IQ3_XXS',
  19: 'IQ1_S',
  20: 'IQ4_NL',
  21: 'IQ3_S',
  22: 'IQ2_S',
  23: 'IQ4_XS',
  24: 'I8',
  25: 'I16',
  26: 'I32',
  27: 'I64',
  28: 'F64',
  29: 'IQ1_M',
  30: 'BF16',
  34: 'TQ1_0',
  35: 'TQ2_0',
  39: 'MXFP4',
};

/** The type with ggml's number `id`, if supported. */
export function readableType(id: number): TensorType | undefined {
  const name = NAMES[id];
  return name !== undefined && name in BLOCKS ? (name as TensorType) : undefined;
}

/** ggml's name of a type, for messages. */
export function typeName(id: number): string {
  return NAMES[id] ?? `number ${id}`;
}

/** ggml's number of a readable type. */
export function typeId(type: TensorType): number {
  return Number(Object.keys(NAMES).find((id) => NAMES[Number(id)] === type));
}

/** A tensor's place in a GGUF file. `name` is Hugging Face's, `shape` is [outputs, inputs]. */
export interface GgufTensor extends CheckpointTensor {
  dtype: TensorType;
  /** The file's own name, e.g. `blk.0.attn_q.weight`. */
  ggufName: string;
  /** Number of heads whose rows are in ggml's order; `readGgufTensor` reorders them to Hugging Face's. */
  interleavedHeads: number | undefined;
}

/** Bytes of the file in memory at a time, besides the values. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/**
 * A tensor's values as float32, row-major, in Hugging Face's row order.
 * @throws UserError when the file has shrunk since it was opened
 */
export async function readGgufTensor(tensor: GgufTensor): Promise<Float32Array> {
  const block = BLOCKS[tensor.dtype];
  const chunkBytes = Math.floor(CHUNK_BYTES / block.bytes) * block.bytes;
  const chunk = new Uint8Array(Math.min(chunkBytes, tensor.byteLength));
  const values = new Float32Array((tensor.byteLength / block.bytes) * block.elements);

  const handle = await open(tensor.file);
  try {
    for (let done = 0; done < tensor.byteLength; done += chunk.length) {
      const part = chunk.subarray(0, Math.min(chunk.length, tensor.byteLength - done));
      for (let filled = 0; filled < part.length; ) {
        const at = tensor.offset + done + filled;
        const { bytesRead } = await handle.read(part, filled, part.length - filled, at);
        if (bytesRead === 0) throw damaged(tensor.file, `the file ends inside tensor "${tensor.ggufName}"`);
        filled += bytesRead;
      }
      dequantize(tensor.dtype, part, values, (done / block.bytes) * block.elements);
    }
  } finally {
    await handle.close();
  }
  if (tensor.interleavedHeads !== undefined) {
    undoInterleaving(values, tensor.shape[0] ?? 0, tensor.interleavedHeads);
  }
  return values;
}

/**
 * Restores, in place, Hugging Face's row order of q and k in GGUF files of the Llama family. ggml rotates adjacent rows
 * (2i and 2i + 1 of a head), Hugging Face rotates halves (i and i + headDim / 2).
 * @param values [rows, columns], or a bias of [rows] with `columns` 1; `rows` is `heads` * headDim, headDim even
 */
export function undoInterleaving(values: Float32Array, rows: number, heads: number): void {
  const columns = values.length / rows;
  const headDim = rows / heads;
  const half = headDim / 2;
  for (let head = 0; head < heads; head++) {
    const first = head * headDim * columns;
    const interleaved = values.slice(first, first + headDim * columns);
    for (let i = 0; i < headDim; i++) {
      const from = i < half ? 2 * i : 2 * (i - half) + 1;
      const row = interleaved.subarray(from * columns, (from + 1) * columns);
      values.set(row, first + i * columns);
    }
  }
}

/** Codes of one nibble. */
const HALF_BLOCK = 16;

/**
 * Writes the values of whole blocks to `out`, from element `start`. Double precision rounded once on storing, which
 * equals ggml's float32 arithmetic for these types.
 * @param bytes whole blocks of `type`, starting at an even offset of their buffer (4 for F32)
 */
export function dequantize(type: TensorType, bytes: Uint8Array, out: Float32Array, start: number): void {
  switch (type) {
    case 'F32':
      new Uint8Array(out.buffer, out.byteOffset + start * 4, bytes.length).set(bytes);
      return;
    case 'F16':
      readF16(bytes, out, start);
      return;
    case 'BF16':
      readBF16(bytes, out, start);
      return;
    case 'Q8_0':
      readQ8_0(bytes, out, start);
      return;
    case 'Q4_1':
      readQ4_1(bytes, out, start);
      return;
  }
}

function readF16(bytes: Uint8Array, out: Float32Array, start: number): void {
  const half = halfTable();
  const codes = words(bytes);
  for (let i = 0; i < codes.length; i++) out[start + i] = half[codes[i] ?? 0] ?? 0;
}

/** bfloat16 is the upper half of a float32. */
function readBF16(bytes: Uint8Array, out: Float32Array, start: number): void {
  const codes = words(bytes);
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < codes.length; i++) bits[start + i] = (codes[i] ?? 0) << 16;
}

/** Block: half scale, 32 signed bytes. Value = scale * code. */
function readQ8_0(bytes: Uint8Array, out: Float32Array, start: number): void {
  const { elements, bytes: blockBytes } = BLOCKS.Q8_0;
  const half = halfTable();
  const header = words(bytes);
  const codes = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  let to = start;
  for (let block = 0; block < bytes.length; block += blockBytes) {
    const scale = half[header[block >> 1] ?? 0] ?? 0;
    const first = block + 2;
    for (let i = 0; i < elements; i++) out[to++] = scale * (codes[first + i] ?? 0);
  }
}

/** Block: half scale, half minimum, 16 bytes. Low nibbles are elements 0 to 15, high ones 16 to 31. Value = scale * code + minimum. */
function readQ4_1(bytes: Uint8Array, out: Float32Array, start: number): void {
  const { elements, bytes: blockBytes } = BLOCKS.Q4_1;
  const half = halfTable();
  const header = words(bytes);
  let to = start;
  for (let block = 0; block < bytes.length; block += blockBytes) {
    const scale = half[header[block >> 1] ?? 0] ?? 0;
    const minimum = half[header[(block >> 1) + 1] ?? 0] ?? 0;
    const first = block + 4;
    for (let i = 0; i < HALF_BLOCK; i++) {
      const pair = bytes[first + i] ?? 0;
      out[to + i] = scale * (pair & 15) + minimum;
      out[to + HALF_BLOCK + i] = scale * (pair >> 4) + minimum;
    }
    to += elements;
  }
}

function words(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
}

const CODES = 65_536;
let table: Float32Array | undefined;

/** The float32 value of each half-precision code: a lookup is faster than decoding. */
function halfTable(): Float32Array {
  table ??= Float32Array.from({ length: CODES }, (_, code) => halfToNumber(code));
  return table;
}
