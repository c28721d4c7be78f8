import { BLOCKS, type TensorType, typeId } from '../tensor-type.js';
import { encodeTensor } from './encode-tensor.js';

/** What a test's GGUF file holds. */
export interface GgufSpec {
  version?: number;
  alignment?: number;
  /** Pairs, so that a key can stand there twice. Values are made by the functions below. */
  metadata: [key: string, value: Buffer][];
  tensors: TensorSpec[];
}

export interface TensorSpec {
  name: string;
  /** GGUF order: elements a row first. */
  dimensions: number[];
  type: TensorType;
  values: ArrayLike<number>;
  /** What the header says instead of what is so. */
  stated?: { typeId?: number; offset?: number };
}

/** A whole GGUF file. Nothing follows the last tensor's data, so that every byte of the file is needed. */
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
/** An array that says it has `count` elements, whatever it has. */
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
