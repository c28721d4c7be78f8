import { UserError } from '@tocsin/core';
import { z } from 'zod';

/** Where a tensor of a safetensors file is, and how to read it. */
export interface TensorInfo {
  name: string;
  /** As the format spells it: F32, F16, BF16, ... */
  dtype: string;
  shape: number[];
  /** Absolute position in the file, bytes. */
  offset: number;
  byteLength: number;
}

/** The format allows 100 MB; the largest real headers are a few MB. */
const MAX_HEADER_BYTES = 100_000_000;
export const HEADER_LENGTH_BYTES = 8;

/** A Map, not an object: type names come from the file, and one may be `constructor`. */
const BYTES_PER_ELEMENT = new Map([
  ['F64', 8],
  ['F32', 4],
  ['F16', 2],
  ['BF16', 2],
  ['I64', 8],
  ['I32', 4],
  ['I16', 2],
  ['I8', 1],
  ['U64', 8],
  ['U32', 4],
  ['U16', 2],
  ['U8', 1],
  ['BOOL', 1],
]);

const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.int().nonnegative()),
  data_offsets: z.tuple([z.int().nonnegative(), z.int().nonnegative()]),
});

/**
 * Length in bytes of the JSON header, from the file's first 8 bytes.
 * @throws UserError when the file is too short or the length impossible
 */
export function safetensorsHeaderLength(file: string, first8: Uint8Array, fileSize: number): number {
  if (fileSize < HEADER_LENGTH_BYTES || first8.byteLength < HEADER_LENGTH_BYTES) {
    throw broken(
      file,
      `it has ${fileSize} bytes, fewer than the ${HEADER_LENGTH_BYTES} of the header length`,
    );
  }
  const length = Number(new DataView(first8.buffer, first8.byteOffset).getBigUint64(0, true));
  if (length > MAX_HEADER_BYTES || HEADER_LENGTH_BYTES + length > fileSize) {
    throw broken(file, `its header claims ${length} bytes, the file has ${fileSize}`);
  }
  return length;
}

/**
 * Every tensor of a safetensors file by name, from its JSON header. Checks positions, lengths and shapes against each
 * other and the file size; reads no tensor data.
 * @throws UserError when the header is broken
 */
export function parseSafetensorsHeader(
  file: string,
  header: Uint8Array,
  fileSize: number,
): Map<string, TensorInfo> {
  const dataStart = HEADER_LENGTH_BYTES + header.byteLength;
  const tensors = new Map<string, TensorInfo>();
  for (const [name, value] of Object.entries(parseObject(file, header))) {
    if (name === '__metadata__') continue;
    tensors.set(name, tensorInfo(file, name, value, dataStart, fileSize));
  }
  return tensors;
}

function parseObject(file: string, header: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(header));
  } catch (cause) {
    throw broken(file, 'its header is no JSON', cause);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw broken(file, 'its header is no JSON object');
  }
  return value as Record<string, unknown>;
}

function tensorInfo(
  file: string,
  name: string,
  value: unknown,
  dataStart: number,
  fileSize: number,
): TensorInfo {
  const parsed = tensorSchema.safeParse(value);
  if (!parsed.success) {
    throw broken(
      file,
      `tensor ${name}: expected dtype, shape and data_offsets (${z.prettifyError(parsed.error)})`,
    );
  }
  const { dtype, shape, data_offsets } = parsed.data;
  const [begin, end] = data_offsets;
  const dataLength = fileSize - dataStart;
  if (begin > end || end > dataLength) {
    throw broken(
      file,
      `tensor ${name}: data_offsets [${begin}, ${end}] are outside the file's ${dataLength} bytes of data`,
    );
  }
  const elementBytes = BYTES_PER_ELEMENT.get(dtype);
  if (elementBytes !== undefined) {
    const expected = shape.reduce((product, size) => product * size, elementBytes);
    if (expected !== end - begin) {
      throw broken(
        file,
        `tensor ${name}: ${dtype} of shape [${shape}] takes ${expected} bytes, data_offsets give ${end - begin}`,
      );
    }
  }
  return { name, dtype, shape, offset: dataStart + begin, byteLength: end - begin };
}

function broken(file: string, what: string, cause?: unknown): UserError {
  return new UserError(`${file} is not a whole safetensors file: ${what}`, {
    hint: 'The file may have been cut while it was copied or downloaded. Fetch it again.',
    cause,
  });
}

/** bfloat16 bits (little-endian, 2 bytes each) as float32. Exact. */
export function float32OfBfloat16(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const bits = new Uint32Array(bytes.byteLength / 2);
  for (let i = 0; i < bits.length; i++) bits[i] = view.getUint16(2 * i, true) << 16;
  return new Float32Array(bits.buffer);
}

/** IEEE float16 bits (little-endian, 2 bytes each) as float32. Exact. */
export function float32OfFloat16(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.byteLength / 2);
  for (let i = 0; i < values.length; i++) values[i] = halfToNumber(view.getUint16(2 * i, true));
  return values;
}

/** One IEEE float16 as a number. */
export function halfToNumber(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** float32 values from little-endian bytes, which need not be aligned. */
export function float32OfBytes(bytes: Uint8Array): Float32Array {
  return new Float32Array(Uint8Array.from(bytes).buffer);
}
