import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { BLOCKS, type TensorType, typeId } from '../gguf-tensor.js';

/** The content of a test's GGUF file. */
export interface GgufSpec {
  version?: number;
  alignment?: number;
  /** Pairs, so that a key can occur twice. The functions below make the values. */
  metadata: [key: string, value: Buffer][];
  tensors: TensorSpec[];
}

export interface TensorSpec {
  name: string;
  /** GGUF order: elements per row first. */
  dimensions: number[];
  type: TensorType;
  values: ArrayLike<number>;
  /** Overrides of header fields. */
  stated?: { typeId?: number; offset?: number };
}

/** A GGUF file. Nothing follows the last tensor's data, so that every byte is needed. */
export function writeGguf(spec: GgufSpec): Buffer {
  const alignment = spec.alignment ?? 32;
  const data: Buffer[] = [];
  let end = 0;
  const infos = spec.tensors.map((tensor) => {
    const start = Math.ceil(end / alignment) * alignment;
    const bytes = encodeTensor(tensor.type, tensor.values);
    data.push(Buffer.alloc(start - end), bytes);
    end = start + bytes.length;
    return tensorInfo(tensor, start);
  });
  const header = Buffer.concat([
    Buffer.from('GGUF'),
    uint32(spec.version ?? 3),
    uint64(spec.tensors.length),
    uint64(spec.metadata.length),
    ...spec.metadata.flatMap(([key, value]) => [text(key), value]),
    ...infos,
  ]);
  const padding = Buffer.alloc(Math.ceil(header.length / alignment) * alignment - header.length);
  return Buffer.concat([header, ...(data.length === 0 ? [] : [padding]), ...data]);
}

/** Bytes of a tensor's data. */
export function encodedLength(type: TensorType, elements: number): number {
  return (elements / BLOCKS[type].elements) * BLOCKS[type].bytes;
}

function tensorInfo(tensor: TensorSpec, start: number): Buffer {
  return Buffer.concat([
    text(tensor.name),
    uint32(tensor.dimensions.length),
    ...tensor.dimensions.map(uint64),
    uint32(tensor.stated?.typeId ?? typeId(tensor.type)),
    uint64(tensor.stated?.offset ?? start),
  ]);
}

/** A metadata value: its type's number, then the value. */
export const u32 = (value: number): Buffer => Buffer.concat([uint32(4), uint32(value)]);
export const i32 = (value: number): Buffer => Buffer.concat([uint32(5), int32(value)]);
export const f32 = (value: number): Buffer => Buffer.concat([uint32(6), float32(value)]);
export const bool = (value: number | boolean): Buffer =>
  Buffer.concat([uint32(7), Buffer.from([Number(value)])]);
export const str = (value: string | Buffer): Buffer => Buffer.concat([uint32(8), text(value)]);
export const u64 = (value: bigint): Buffer => Buffer.concat([uint32(10), uint64(value)]);
export const strs = (values: readonly string[]): Buffer => array(8, values.length, values.map(text));
export const i32s = (values: readonly number[]): Buffer => array(5, values.length, values.map(int32));
/** An array that claims `count` elements. */
export const array = (elementType: number, count: number | bigint, elements: Buffer[]): Buffer =>
  Buffer.concat([uint32(9), uint32(elementType), uint64(count), ...elements]);

export function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

function float32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

export function uint64(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

/** Scale of all quantized blocks and minimum of Q4_1 blocks, so that multiples are exact in every type. */
const STEP = 0.25;
const MINIMUM = -2;
const BLOCK = 32;

/** A value exact in every type, from a code of 0 to 15. */
export const exact = (code: number): number => MINIMUM + STEP * (code & 15);

/** Encodes values exact in `type`: any for F32, otherwise multiples of STEP (for Q4_1 from MINIMUM). */
export function encodeTensor(type: TensorType, values: ArrayLike<number>): Buffer {
  const all = Array.from(values);
  switch (type) {
    case 'F32':
      return Buffer.from(new Uint8Array(Float32Array.from(all).buffer));
    case 'F16':
      return words(all.map(halfCode));
    case 'BF16':
      return words(all.map((value) => new Uint16Array(Float32Array.of(value).buffer)[1] ?? 0));
    case 'Q8_0':
      return inBlocks(all, (block) => [
        words([halfCode(STEP)]),
        Buffer.from(block.map((value) => value / STEP)),
      ]);
    case 'Q4_1':
      return inBlocks(all, (block) => {
        const codes = block.map((value) => (value - MINIMUM) / STEP);
        const pairs = codes.slice(0, BLOCK / 2).map((low, i) => low + 16 * (codes[i + BLOCK / 2] ?? 0));
        return [words([halfCode(STEP), halfCode(MINIMUM)]), Buffer.from(pairs)];
      });
  }
}

function inBlocks(values: number[], encode: (block: number[]) => Buffer[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i < values.length; i += BLOCK) parts.push(...encode(values.slice(i, i + BLOCK)));
  return Buffer.concat(parts);
}

/** The half-precision code of a normal value that needs no rounding. */
function halfCode(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + fraction;
}

function words(codes: number[]): Buffer {
  return Buffer.from(new Uint8Array(Uint16Array.from(codes).buffer));
}

/** The row order in which converters write Llama's q and k: row i of a head's first half, then row i of its second. */
export function interleave(values: Float32Array, rows: number, heads: number): Float32Array {
  const columns = values.length / rows;
  const headDim = rows / heads;
  const order = Array.from({ length: rows }, (_, row) => {
    const inHead = row % headDim;
    return row - inHead + (inHead >> 1) + (inHead % 2) * (headDim / 2);
  });
  return Float32Array.from(order.flatMap((row) => [...values.subarray(row * columns, (row + 1) * columns)]));
}

/** A temporary directory, removed after the file's tests. Returns a function that writes a file there and returns its path. */
export function tempFiles(): (bytes: Uint8Array) => Promise<string> {
  let dir = '';
  let written = 0;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'tocsin-gguf-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return async (bytes) => {
    const path = join(dir, `${written++}.gguf`);
    await writeFile(path, bytes);
    return path;
  };
}
